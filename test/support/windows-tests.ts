// Owns the run of a test file on Windows: bundled, run by node.exe, its victims started beside it, each of its tests told as one of ours.
import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import type { Outcome } from './windows-reporter.ts';
import type { Reply, Wish } from './windows-steer.ts';
import { bundleFor, type WindowsHost, type WindowsProgram } from './windows.ts';
import { waitFor } from './wait.ts';

const LIMIT_MS = 240_000;
const root = join(import.meta.dirname, '../..');

export interface WindowsRun {
  /** Variables of the test program. */
  readonly env?: Readonly<Record<string, string>>;
  /** Takes koffi away from it. */
  readonly withoutKoffi?: boolean;
}

/** Runs a test file there; every test of it becomes one below `t`. */
export async function testOnWindows(t: TestContext, host: WindowsHost, file: string, { env = {}, withoutKoffi = false }: WindowsRun = {}): Promise<void> {
  const folder = await (withoutKoffi ? host.wine.folder('bare') : host.wine.stage('tests'));
  const victims = new Victims(host, `${folder.windows}\\victim.mjs`);
  try {
    await copyFile(join(root, 'test/apps/victim.mjs'), join(folder.linux, 'victim.mjs'));
    await bundleFor(join(root, file), join(folder.linux, 'tests.cjs'));
    await bundleFor(join(root, 'test/support/windows-reporter.ts'), join(folder.linux, 'reporter.mjs'));
    // What the build puts beside the agent's own entry.
    await bundleFor(join(root, 'src/platform/windows/dump-main.ts'), join(folder.linux, 'windows-dump.js'));
    const program = await host.start([`--test-reporter=file:///${folder.windows.replaceAll('\\', '/').replaceAll(' ', '%20')}/reporter.mjs`, '--test-reporter-destination=stdout', `${folder.windows}\\tests.cjs`],
      { env: { ...env, STEER_PORT: String(await victims.listen()), HOME: `${folder.windows}\\home`, TOP: folder.windows } });
    await told(t, program);
  } finally {
    await victims.close();
    await folder.remove();
  }
}

async function told(t: TestContext, program: WindowsProgram): Promise<void> {
  const late = new Promise<'late'>((done) => { AbortSignal.timeout(LIMIT_MS).addEventListener('abort', () => { done('late'); }); });
  const code = await Promise.race([program.exited, late]);
  const said = `${program.stdout()}\n${program.stderr()}`;
  if (code === 'late') await program.kill();
  const outcomes = program.stdout().split('\n').filter((line) => line.startsWith('outcome ')).map((line) => JSON.parse(line.slice(8)) as Outcome);
  for (const { name, nesting, passed, skipped, error, tookMs } of outcomes) {
    if (nesting > 0 || !outcomes.some((one) => one.nesting > 0)) await t.test(`${name} (${tookMs} ms there)`, { skip: skipped ?? false }, () => { assert.ok(passed, error); });
  }
  assert.equal(code, 0, said.slice(-3000));
  assert.ok(outcomes.length > 0, `no test ran: ${said.slice(-3000)}`);
}

class Victims {
  readonly #host: WindowsHost;
  readonly #app: string;
  readonly #running = new Map<number, WindowsProgram>();
  readonly #lines = new Set<Socket>();
  readonly #server = createServer((line) => { this.#serve(line); });

  constructor(host: WindowsHost, app: string) {
    this.#host = host;
    this.#app = app;
  }

  async listen(): Promise<number> {
    await new Promise<void>((done) => { this.#server.listen(0, '127.0.0.1', done); });
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const line of this.#lines) line.destroy();
    this.#server.close();
    for (const one of this.#running.values()) await one.kill();
  }

  #serve(line: Socket): void {
    this.#lines.add(line);
    line.on('error', () => { /* the close tells */ });
    const say = (reply: Reply): void => { line.write(`${JSON.stringify(reply)}\n`); };
    createInterface({ input: line }).on('line', (text) => {
      const wish = JSON.parse(text) as Wish;
      this.#grant(wish).then((answer) => { say({ n: wish.n, answer }); }, (error: unknown) => { say({ n: wish.n, failed: String(error) }); });
    });
  }

  async #grant(wish: Wish): Promise<Readonly<Record<string, unknown>>> {
    if ('start' in wish) return await this.#start(wish.start);
    if ('kill' in wish) { await this.#running.get(wish.kill)?.kill(); this.#running.delete(wish.kill); return {}; }
    const victim = this.#running.get(wish.pid);
    if (victim === undefined) throw new Error(`no victim ${wish.pid}`);
    if ('type' in wish) { victim.write(wish.type); return {}; }
    const answers = (): string[] => victim.stdout().split('\n').filter((line) => line.includes(`"did":"${wish.do}"`));
    const before = answers().length;
    victim.write(`${JSON.stringify({ do: wish.do, ...wish.how })}\n`);
    return JSON.parse(await waitFor(`the victim to ${wish.do}`, () => answers()[before])) as Record<string, unknown>;
  }

  async #start({ env, nodeOptions, program }: Extract<Wish, { start: unknown }>['start']): Promise<{ pid: number }> {
    const victim = await this.#host.start(program === undefined ? [...nodeOptions, this.#app] : [], { env, ...(program === undefined ? {} : { program }) });
    this.#running.set(victim.pid, victim);
    // Another program has started when it prompts: before, it still maps what a dump of it would hold.
    await waitFor('the victim to start', () => (program === undefined ? victim.stdout().includes('"did":"start"') : victim.stdout().trimEnd().endsWith('>')));
    return { pid: victim.pid };
  }
}
