// Owns the proof that our own dump writer leaves its target as it was: flags, children, signals, answers, also when anyone is killed at any step.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, readSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { exitSignal, parentOf, startTicks } from '../../src/platform/linux/dump/facts.ts';
import type { Order } from '../../src/platform/linux/dump/helper-words.ts';
import { runOwnWriter } from '../../src/platform/linux/dump/own-writer.ts';
import type { Ended } from '../../src/platform/linux/dump/own-writer.ts';
import { joined, leftOutOfFork, parseSmaps } from '../../src/platform/linux/dump/ranges.ts';
import type { FlaggedMapping, Mapping, Range } from '../../src/platform/linux/dump/ranges.ts';
import { REGISTERS_BYTES, writeRegister } from '../../src/platform/linux/dump/registers.ts';
import { userfaultfdsOf } from '../../src/platform/linux/dump/written-pages.ts';
import { hasRoom } from '../../src/platform/linux/dump/snapshot.ts';
import { lives, stateOf } from '../support/alive.ts';
import { holds } from '../support/file-holds.ts';
import { realPlatform, type RealPlatform } from '../support/real-platform.ts';
import type { Victim } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';

const never = new AbortController().signal;
/** The built process: it starts in a tenth of a second. */
const WRITER = [resolve(import.meta.dirname, '../../dist/dump-helper.js')];
let real: RealPlatform;
let folder: string;
before(async () => { real = await realPlatform(); folder = real.platform.host.folders.temp; });
after(() => real.close());

type Writing = Exclude<Order, { mode: 'recover' }>;
async function write(pid: number, name: string, options: Partial<Writing> = {}, signal = never): Promise<Ended> {
  const file = join(folder, name);
  rmSync(file, { force: true });
  const ticks = startTicks(pid);
  assert.ok(ticks !== undefined, `process ${pid} lives`);
  return await runOwnWriter({ mode: 'fork', pid, ticks, file, ...options }, signal, () => undefined, WRITER);
}

function done(answer: Ended): Extract<Ended, { say: 'done' }> {
  assert.equal(answer.say, 'done', JSON.stringify(answer));
  return answer as Extract<Ended, { say: 'done' }>;
}

/** A server with memory on the JavaScript heap and in buffers. */
async function serving(): Promise<{ victim: Victim; ask(): Promise<string> }> {
  const victim = await real.victim();
  const { port } = await victim.do('listen') as { port: number };
  await victim.do('leak', { mb: 40 });
  return { victim, ask: () => answerOf(port) };
}

function answerOf(port: number): Promise<string> {
  return new Promise((resolveText, reject) => {
    get({ port, host: '127.0.0.1', timeout: 20_000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => { text += piece; }).on('end', () => { resolveText(text); });
    }).on('error', reject);
  });
}

const mappingsOf = (pid: number): FlaggedMapping[] => parseSmaps(readFileSync(`/proc/${pid}/smaps`, 'latin1'));

/** Every mapping that lies in memory of before has the flag of before; what is new since then is V8's own doing. */
function sameFlags(pid: number, before: readonly FlaggedMapping[], when: string): void {
  const [flagged, plain] = [true, false].map((yes) => joined(before.filter(({ flags }) => leftOutOfFork(flags) === yes)));
  const inside = (ranges: readonly Range[] | undefined, { from, to }: Range): boolean => ranges?.some((range) => range.from <= from && to <= range.to) === true;
  let looked = 0;
  for (const mapping of mappingsOf(pid)) {
    const was = inside(flagged, mapping) ? true : inside(plain, mapping) ? false : undefined;
    if (was === undefined) continue;
    looked += 1;
    assert.equal(leftOutOfFork(mapping.flags), was, `${when}: ${mapping.from.toString(16)} ${mapping.perms} ${mapping.path}`);
  }
  assert.ok(looked > 50, `${when}: ${looked} mappings are as old as that`);
}

function copiesOf(pid: number): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((other) => parentOf(other) === pid && exitSignal(other) === 0);
}

/** A stopped thread of the target's pool would be a hang later: all threads must be as they are without us. */
function allRun(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((tid) => /^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1')) && !/^State:\t[tT]/m.test(readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1')));
}

/** Digest of program and libraries as it stands in memory. */
function codeOf(pid: number): string {
  const digest = createHash('sha256');
  const mem = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { from, to } of mappingsOf(pid).filter(({ perms, inode }) => perms === 'r-xp' && inode !== 0)) {
      const code = Buffer.alloc(to - from);
      digest.update(code.subarray(0, readSync(mem, code, 0, code.length, from)));
    }
  } finally {
    closeSync(mem);
  }
  return digest.digest('hex');
}

const MODES = ['track', 'fork'] as const;
for (const mode of MODES) test(`${mode}: memory of the JavaScript heap and of buffers is in the core, what came later is not, and every flag is as before`, async () => {
  const { victim, ask } = await serving();
  await victim.do('mark', { words: ['HEAP', 'MARK'], n: 111 });
  await victim.do('mark', { words: ['BUFFER', 'MARK'], n: 222, buffer: true });
  const masks = /^SigBlk:.*$/m.exec(readFileSync(`/proc/${victim.pid}/status`, 'latin1'))?.[0];
  const before = mappingsOf(victim.pid);
  assert.ok(before.filter(({ flags }) => leftOutOfFork(flags)).length > 20, 'V8 keeps its heap out of forks, else this test proves nothing');
  const answer = done(await write(victim.pid, 'marks.core', { mode }));
  assert.deepEqual(answer.left, []);
  sameFlags(victim.pid, before, 'after the dump');
  await victim.do('mark', { words: ['LATER', 'MARK'], n: 333 });
  for (const [word, there] of [['HEAP-MARK-12321', true], ['BUFFER-MARK-49284', true], ['LATER-MARK-110889', false]] as const) assert.equal(await holds(join(folder, 'marks.core'), word), there, word);
  assert.equal(await ask(), String(victim.pid));
  assert.deepEqual(copiesOf(victim.pid), []);
  assert.equal(/^SigBlk:.*$/m.exec(readFileSync(`/proc/${victim.pid}/status`, 'latin1'))?.[0], masks);
  assert.ok(((await victim.do('spawn-child')) as { pid: number }).pid > 0, 'its own children start as before');
});

test('ten dumps in a row under load fail no request and leave no zombie and no descriptor', async () => {
  const { victim, ask } = await serving();
  const descriptors = readdirSync(`/proc/${victim.pid}/fd`).length;
  let failed = 0;
  let asked = 0;
  const over = new AbortController();
  const load = Promise.all(Array.from({ length: 8 }, async () => {
    while (!over.signal.aborted) {
      asked += 1;
      await ask().catch(() => { failed += 1; });
    }
  }));
  try {
    await waitFor('the first answers', () => asked > 50);
    void victim.exited.then((how) => { if (!over.signal.aborted) assert.fail(`the target ended: ${JSON.stringify(how)} ${victim.stderr()}`); });
    for (let i = 0; i < 10; i += 1) assert.deepEqual(done(await write(victim.pid, 'load.core', { mode: i % 3 === 2 ? 'fork' : 'track' })).left, []);
  } finally {
    over.abort();
    await load;
  }
  assert.equal(failed, 0);
  assert.deepEqual(copiesOf(victim.pid), []);
  // Connections of the load are closed by now; what is left is what the victim had.
  await waitFor('its descriptors to be as before', () => readdirSync(`/proc/${victim.pid}/fd`).length <= descriptors);
});

for (const mode of MODES) test(`${mode}: the writer is killed at each of its steps, and the target answers every time`, { timeout: 280_000 }, async () => {
  const { victim, ask } = await serving();
  let before = mappingsOf(victim.pid);
  let step = 1;
  // The fall-back every second step only: both make more than 60.
  for (; step < 200; step += mode === 'fork' ? 2 : 1) {
    const answer = await write(victim.pid, 'killed.core', { mode, fault: { step, kills: 'writer' } });
    rmSync(join(folder, 'killed.core'), { force: true });
    assert.equal(await ask(), String(victim.pid), `after step ${step}`);
    await waitFor(`all threads to run after step ${step}`, () => allRun(victim.pid));
    assert.equal(lives(victim.pid), true);
    assert.deepEqual(userfaultfdsOf(victim.pid), [], `descriptors after step ${step}`);
    if (answer.say === 'done') break;
    assert.match(answer.say === 'failed' ? answer.why : '', /SIGKILL/, JSON.stringify(answer));
    assert.deepEqual(copiesOf(victim.pid), [], `copies after step ${step}: ${JSON.stringify(answer)}`);
    sameFlags(victim.pid, before, `after step ${step}`);
    before = mappingsOf(victim.pid);
  }
  assert.ok(step > (mode === 'fork' ? 30 : 20), `${step - 1} steps were tried`);
  assert.ok(((await victim.do('spawn-child')) as { pid: number }).pid > 0);
});

for (const mode of MODES) test(`${mode}: the target dies at each step, and the writer says so and leaves no file`, { timeout: 280_000 }, async () => {
  for (let step = 1; step < 200; step += 3) {
    const victim = await real.victim();
    const answer = await write(victim.pid, 'dead.core', { mode, fault: { step, kills: 'target' } });
    if (lives(victim.pid)) {
      assert.ok(step > 20, `${step} steps were tried`);
      await victim.stop();
      return;
    }
    await victim.exited;
    assert.deepEqual(copiesOf(victim.pid), []);
    if (answer.say === 'done') {
      // Late enough: the copy was made, and is whole.
      assert.equal(existsSync(join(folder, 'dead.core')), true);
    } else {
      assert.ok(answer.say === 'refused' || answer.say === 'failed', JSON.stringify(answer));
      assert.equal(existsSync(join(folder, 'dead.core')), false, `after step ${step}: ${JSON.stringify(answer)}`);
    }
    await victim.stop();
  }
});

for (const mode of MODES) test(`${mode}, cancelled while it writes: no file, no copy, and the target runs`, async () => {
  const { victim, ask } = await serving();
  await victim.do('leak', { mb: 300, buffers: true });
  const abort = new AbortController();
  const writing = runOwnWriter({ mode, pid: victim.pid, ticks: startTicks(victim.pid) ?? '', file: join(folder, 'cut.core') }, abort.signal, () => { abort.abort(); }, WRITER);
  assert.equal((await writing).say, 'cancelled');
  assert.equal(existsSync(join(folder, 'cut.core')), false);
  assert.deepEqual(copiesOf(victim.pid), []);
  assert.equal(await ask(), String(victim.pid));
});

test('a copy that the kernel ends while it is read gives no core but a reason', async () => {
  const { victim, ask } = await serving();
  await victim.do('leak', { mb: 300, buffers: true });
  const answer = await runOwnWriter({ mode: 'fork', pid: victim.pid, ticks: startTicks(victim.pid) ?? '', file: join(folder, 'dead-copy.core'), fault: { step: 'piece copied', kills: 'copy' } }, never, () => undefined, WRITER);
  assert.equal(answer.say === 'refused' && answer.reason, 'no-memory', JSON.stringify(answer));
  assert.equal(existsSync(join(folder, 'dead-copy.core')), false);
  assert.equal(await ask(), String(victim.pid));
});

for (const mode of MODES) test(`${mode}: a core shows one moment of a memory that is written all the time`, async () => {
  const { victim } = await serving();
  const { words } = await victim.do('sweep', { mb: 24 }) as { words: number };
  const answer = done(await write(victim.pid, 'moment.core', { mode }));
  assert.deepEqual(answer.left, []);
  const file = readFileSync(join(folder, 'moment.core'));
  let at = file.indexOf('SWEEP-BEGIN');
  while (at !== -1 && file.indexOf('SWEEP-BEGIN', at + 1) !== at + 2_048) at = file.indexOf('SWEEP-BEGIN', at + 1);
  assert.ok(at > 0);
  const swept = new Uint32Array(words);
  file.copy(Buffer.from(swept.buffer), 0, at + 4_096, at + 4_096 + words * 4);
  const [pass = 0] = swept;
  const border = swept.findIndex((word) => word !== pass);
  assert.ok(border === -1 || swept.subarray(border).every((word) => word === pass - 1), `pass ${pass} up to word ${border}, then ${swept[border]}, and others later`);
});

test('track: the process itself needs no right', async () => {
  const unprivileged = join(folder, 'plain-user');
  writeFileSync(unprivileged, `#!/bin/sh\nexec setpriv --reuid=${1_100_000 + process.pid} --clear-groups '${process.execPath}' "$@"\n`, { mode: 0o755 });
  const victim = await real.victim({ program: unprivileged });
  await victim.do('leak', { mb: 40, buffers: true });
  assert.deepEqual(done(await write(victim.pid, 'plain.core', { mode: 'track' })).left, []);
  assert.equal((await victim.do('print', { text: 'alive' })).did, 'print');
});

test('the fall-back that stops the target while it writes gives a core too', async () => {
  const { victim, ask } = await serving();
  await victim.do('mark', { words: ['STOP', 'MARK'], n: 444 });
  const answer = done(await write(victim.pid, 'stop.core', { mode: 'stop' }));
  assert.ok(answer.pausedMs > 0);
  assert.equal(await holds(join(folder, 'stop.core'), 'STOP-MARK-197136'), true);
  assert.equal(await ask(), String(victim.pid));
});

test('where the kernel does not copy the process, nothing of ours stays in its code', async () => {
  // A user of its own who may have no more processes: the fork fails (EAGAIN), as in a container that has none left to give.
  const user = 1_000_000 + process.pid;
  const unprivileged = join(folder, 'unprivileged');
  writeFileSync(unprivileged, `#!/bin/sh\nexec prlimit --nproc=50 setpriv --reuid=${user} --clear-groups '${process.execPath}' "$@"\n`, { mode: 0o755 });
  const victim = await real.victim({ program: unprivileged });
  const others = spawn('setpriv', [`--reuid=${user}`, '--clear-groups', 'sh', '-c', 'for i in $(seq 60); do sleep 60 & done; echo there; wait'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await once(others.stdout, 'data');
    const before = codeOf(victim.pid);
    const answer = await write(victim.pid, 'uncopied.core');
    assert.equal(answer.say === 'refused' && answer.reason, 'clone-failed', JSON.stringify(answer));
    assert.equal(codeOf(victim.pid), before);
    assert.ok(allRun(victim.pid));
    assert.equal((await victim.do('print', { text: 'alive' })).did, 'print');
  } finally {
    process.kill(-(others.pid ?? 0), 'SIGKILL');
  }
});

test('a thread is led aside on a stack of its own only: below the small stacks inside a heap lies what belongs to others', () => {
  const page = 4_096, from = 100 * page;
  const at = (begin: number, end: number, perms: string, path = ''): Mapping => ({ from: begin, to: end, perms, offset: 0, inode: 0, path });
  const guarded = [at(from - page, from, '---p'), at(from, from + 20 * page, 'rw-p')];
  const on = (mappings: readonly Mapping[], rsp: number, fsBase: number): boolean => {
    const registers = Buffer.alloc(REGISTERS_BYTES);
    writeRegister(registers, 'rsp', BigInt(rsp));
    writeRegister(registers, 'fsBase', BigInt(fsBase));
    return hasRoom({ registers }, mappings, 1_000);
  };
  assert.deepEqual([
    on(guarded, from + 10 * page, from + 19 * page),           // a thread of glibc or musl
    on([at(from, from + 20 * page, 'rw-p', '[stack]')], from + 10 * page, 7 * page),
    on(guarded.slice(1), from + 10 * page, from + 19 * page),  // no guard: where the stack begins is not known
    on(guarded, from + 10 * page, from + 9 * page),            // a heap that the kernel joined to the stack below it
    on(guarded, from + 10 * page, 7 * page),                   // a stack that the runtime made
    on(guarded, from + page, from + 19 * page),                // too little is left
    on([at(from - page, from, '---p'), at(from, from + 20 * page, 'r--p')], from + 10 * page, from + 19 * page),
  ], [true, true, false, false, false, false, false]);
});

test('a process that another tracer holds is refused with its reason', async () => {
  const victim = await real.victim();
  await victim.do('leak', { mb: 200, buffers: true });
  const first = write(victim.pid, 'first.core', { mode: 'stop' });
  await waitFor('the first writer to hold it', () => stateOf(victim.pid) === 't');
  const second = await write(victim.pid, 'second.core');
  assert.equal(second.say === 'refused' && second.reason, 'denied');
  done(await first);
});

test('gdb and lldb read the core: threads, registers, backtraces and mappings as in one of gcore, of a process stopped at one point', async (t) => {
  const victim = await real.victim();
  // Stopped where it waits for events: with JavaScript on the stack lldb reads all of V8's own code for each core, half a minute of a processor.
  await waitFor('it to wait for events', () => /^(?:232|281) /.test(readFileSync(`/proc/${victim.pid}/syscall`, 'latin1')));
  process.kill(victim.pid, 'SIGSTOP');
  await waitFor('the stop', () => stateOf(victim.pid) === 'T');
  done(await write(victim.pid, 'ours.core', { mode: 'stop' }));
  execFileSync('gcore', ['-o', join(folder, 'theirs'), String(victim.pid)], { stdio: 'ignore' });
  const [ours, theirs] = [join(folder, 'ours.core'), join(folder, `theirs.${victim.pid}`)].map(readByGdb);
  assert.ok(ours !== undefined && ours.includes('rip') && ours.split('Thread').length > 4, ours);
  assert.equal(ours, theirs);
  if (existsSync('/usr/bin/lldb')) {
    const threads = readdirSync(`/proc/${victim.pid}/task`).length;
    const [byLldb, asTheirs] = [join(folder, 'ours.core'), join(folder, `theirs.${victim.pid}`)].map((core) => readByLldb(core, threads));
    assert.ok(byLldb !== undefined && byLldb.split('rip = ').length === threads + 1 && byLldb.includes('uv_run'), byLldb);
    // Compared by hand: node's own comparison of two such texts takes minutes to say where they differ.
    const [mine, other] = [byLldb, asTheirs ?? ''].map((text) => text.split('\n'));
    assert.deepEqual(mine?.map((line, i) => [line, other?.[i]]).filter(([a, b]) => a !== b).slice(0, 5), []);
  } else t.diagnostic('SKIPPED: no lldb on this machine');
  process.kill(victim.pid, 'SIGCONT');
});

/** Names are looked up where a backtrace needs them: all of Node's would take a minute where its file is no longer in the page cache. */
const LLDB_QUICK = ['-O', 'settings set target.preload-symbols false', '-O', 'settings set plugin.jit-loader.gdb.enable off'];

/** What lldb says of a core: its modules, and of each thread, by its id, registers and backtrace. */
function readByLldb(core: string, threads: number): string {
  const each = Array.from({ length: threads }, (_, i) => ['-o', `thread select ${i + 1}`, '-o', 'register read', '-o', 'thread backtrace -c 12']).flat();
  const said = execFileSync('lldb', ['--batch', '--no-lldbinit', ...LLDB_QUICK, process.execPath, '--core', core, '-o', 'image list -h -f', '-o', 'thread list', ...each], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64 << 20 });
  const [head = '', ...blocks] = said.slice(said.indexOf('(lldb) image list')).split(/\(lldb\) thread select \d+\n/);
  const ids = [...head.matchAll(/thread #\d+: tid = (\d+)/g)].map((match) => match[1]);
  // Only these lines: what lldb says of a thread that it selects comes between the others at any moment.
  const told = blocks.map((block, i) => `thread ${ids[i]}\n${block.split('\n').filter((line) => /^ +\w+ = 0x|^ +\* frame #0|^ +frame #[1-9]/.test(line)).join('\n')}`).sort();
  return [head.slice(0, head.indexOf('(lldb) thread list')), ...told].join('\n');
}

/** What gdb says of a core, threads ordered by their id: gcore and the kernel number them differently. Mask registers are left out: gdb 13 takes their place in the extended state from Intel's layout, where kernel and processor say another one. */
function readByGdb(core: string): string {
  const said = execFileSync('gdb', ['-batch', '-nx', '-ex', 'thread apply all -s -- info registers', '-ex', 'thread apply all -s -- bt 12', '-ex', 'info proc mappings', process.execPath, core], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64 << 20 });
  const blocks = said.slice(said.indexOf('\nThread ')).split(/\n(?=Thread |Mapped )/).map((block) => block.replace(/^Thread \d+/, 'Thread').split('\n').filter((line) => !/^k[0-7] |^warning: Section .\.reg-xstate/.test(line) && line !== '').join('\n'));
  return blocks.sort().join('\n');
}
