// Owns the Linux side of a test on Windows: bundles programs for node.exe, and steers the one that starts the others there.
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { openWine, type Folder, type Wine } from './wine.ts';
import type { Order, Word } from './windows-host.ts';

/** An Omit that keeps the members of a union apart. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export interface WindowsProgram {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  write(text: string): void;
  /** TerminateProcess: Windows has no other signal. */
  kill(): Promise<void>;
  readonly exited: Promise<number | null>;
}

export interface StartOptions {
  /** The whole environment, besides what every Windows program has. */
  readonly env?: Readonly<Record<string, string>>;
  /** Windows path. */
  readonly cwd?: string;
  /** Default: node.exe. */
  readonly program?: string;
}

export interface WindowsHost {
  readonly wine: Wine;
  /** Starts node.exe with these arguments, as a child of the host. */
  start(args: readonly string[], options?: StartOptions): Promise<WindowsProgram>;
  /** Raises an iisnode-like proxy before a pipe; the port answers on 127.0.0.1 of Linux too. */
  proxy(options: { readonly to: string; readonly below?: string }): Promise<{ readonly port: number; close(): Promise<void> }>;
  /** Ends everything that it has started. */
  close(): Promise<void>;
}

/** Bundles a TypeScript entry for node.exe; koffi stays outside and is found where the file lies below d:\stage. A module where the file is to be one. */
export async function bundleFor(entry: string, outfile: string): Promise<void> {
  if (outfile.endsWith('.mjs')) { await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', target: 'node20', format: 'esm', logLevel: 'warning' }); return; }
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', target: 'node20', format: 'cjs', external: ['koffi', '@lydell/node-pty'], logLevel: 'warning', sourcemap: 'inline', define: { 'import.meta.url': 'bundledUrl', 'import.meta.dirname': '__dirname' }, banner: { js: 'const bundledUrl=require("node:url").pathToFileURL(__filename).href;' } });
}

export async function startWindowsHost(): Promise<WindowsHost> {
  const wine = await openWine();
  const folder = await wine.stage('host');
  await bundleFor(join(import.meta.dirname, 'windows-host.ts'), join(folder.linux, 'host.cjs'));
  const line = await new Line().open(wine, folder);
  return {
    wine,
    start: async (args, options = {}) => await line.start(args, options),
    proxy: async ({ to, below }) => {
      const { port } = await line.ask({ do: 'proxy', to, ...(below === undefined ? {} : { below }) });
      return { port: port as number, close: async () => { await line.ask({ do: 'close', port: port as number }); } };
    },
    close: async () => { await line.close(); await folder.remove(); },
  };
}

interface Running { out: string; error: string; exit(code: number | null): void }

class Line {
  #socket: Socket | undefined;
  #n = 0;
  #exited: Promise<number | null> = Promise.resolve(null);
  readonly #waiting = new Map<number, { resolve(done: Extract<Word, { done: unknown }>['done']): void; reject(error: Error): void }>();
  readonly #programs = new Map<number, Running>();

  async open(wine: Wine, folder: Folder): Promise<this> {
    const server = createServer();
    await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
    const host = wine.start([`${folder.windows}\\host.cjs`, String((server.address() as AddressInfo).port)]);
    this.#exited = host.exited;
    this.#socket = await Promise.race([
      new Promise<Socket>((done) => { server.once('connection', done); }),
      host.exited.then((code) => { throw new Error(`the Windows host ended with ${code}: ${host.stderr()}`); }),
    ]);
    server.close();
    createInterface({ input: this.#socket }).on('line', (text) => { this.#hear(JSON.parse(text) as Word); });
    this.#socket.on('error', () => { /* the close tells */ });
    this.#socket.on('close', () => {
      for (const one of this.#waiting.values()) one.reject(new Error(`the Windows host hung up: ${host.stderr()}`));
      for (const one of this.#programs.values()) one.exit(null);
    });
    return this;
  }

  #hear(word: Word): void {
    if ('done' in word) { this.#waiting.get(word.n)?.resolve(word.done); this.#waiting.delete(word.n); return; }
    if ('failed' in word) { this.#waiting.get(word.n)?.reject(new Error(word.failed)); this.#waiting.delete(word.n); return; }
    const program = this.#programs.get(word.id);
    if (program === undefined) return;
    if ('exit' in word) program.exit(word.exit);
    else if (word.error) program.error += word.out;
    else program.out += word.out;
  }

  ask(order: Without<Order, 'n'>): Promise<Extract<Word, { done: unknown }>['done']> {
    this.#n += 1;
    return this.#send({ n: this.#n, ...order } as Order);
  }

  #send(order: Order): Promise<Extract<Word, { done: unknown }>['done']> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(order.n, { resolve, reject });
      this.#socket?.write(`${JSON.stringify(order)}\n`);
    });
  }

  async start(args: readonly string[], options: StartOptions): Promise<WindowsProgram> {
    this.#n += 1;
    const n = this.#n;
    const running: Running = { out: '', error: '', exit: () => undefined };
    const exited = new Promise<number | null>((done) => { running.exit = done; });
    this.#programs.set(n, running);
    const { pid } = await this.#send({ n, do: 'start', args, env: options.env ?? {}, ...(options.cwd === undefined ? {} : { cwd: options.cwd }), ...(options.program === undefined ? {} : { program: options.program }) });
    return {
      pid: pid as number, exited,
      stdout: () => running.out,
      stderr: () => running.error,
      write: (text) => { void this.ask({ do: 'write', id: n, text }); },
      kill: async () => { await this.ask({ do: 'kill', id: n }); await exited; },
    };
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    await this.#exited;
  }
}
