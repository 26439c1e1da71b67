// Owns the proof that cores of known programs are read as gdb reads them, and that their JavaScript is what the program itself says.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { memoryDump } from '../../../src/analyze/analyzers/memory-dump.ts';
import { readDumpFile } from '../../../src/analyze/dump/read-dump.ts';
import { readerOf } from '../../../src/analyze/readers.ts';
import { startTicks } from '../../../src/platform/linux/dump/facts.ts';
import { runOwnWriter } from '../../../src/platform/linux/dump/own-writer.ts';
import { DumpRead } from '../../../src/shared/dump-read.ts';
import { Finding } from '../../../src/shared/model.ts';

const root = resolve(import.meta.dirname, '../../..');
const chain = join(root, 'test/apps/js-chain.cjs');
const folder = mkdtempSync(join(tmpdir(), 'read-core-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });
const never = new AbortController().signal;
const has = (program: string): boolean => (process.env['PATH'] ?? '').split(':').some((dir) => existsSync(join(dir, program)));
const missing = ['gdb', 'gcc'].filter((program) => !has(program));
const skip = process.platform !== 'linux' || process.arch !== 'x64' ? 'SKIPPED: only on Linux, x64' : missing.length > 0 && process.env['CI'] !== 'true' ? `SKIPPED: no ${missing.join(', ')} on this machine` : false;

const gdb = (...args: readonly string[]): string => execFileSync('gdb', ['-nx', '-batch', '-iex', 'set debuginfod enabled off', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 26 });
async function read(file: string, files = true): Promise<DumpRead> { return DumpRead.parse(await readDumpFile(file, { files, signal: never })); }

/** Runs it under gdb until a signal ends it, and keeps the core of that moment. */
function coreOf(name: string, program: string, ...args: readonly string[]): string {
  const file = join(folder, name);
  gdb('-ex', 'run', '-ex', `generate-core-file ${file}`, '-ex', 'kill', '--args', program, ...args);
  return file;
}

let fiveDeep: { program: string; core: string } | undefined;
function crashed(): { program: string; core: string } {
  if (fiveDeep === undefined) {
    const program = join(folder, 'five-deep');
    execFileSync('gcc', ['-O1', '-fomit-frame-pointer', '-o', program, join(root, 'test/apps/five-deep.c')]);
    fiveDeep = { program, core: coreOf('five-deep.core', program) };
  }
  return fiveDeep;
}

test('a crash five calls deep has the signal, the address, and the stack that gdb shows', { skip }, async () => {
  const { program, core } = crashed();
  const dump = await read(core);
  assert.deepEqual([dump.death?.name, dump.death?.address, dump.death?.place], ['SIGSEGV', '0x0', 'level_five (five-deep)']);
  assert.match(dump.death?.meaning ?? '', /a null pointer was followed/);
  const told = gdb('-ex', 'bt', program, core).split('\n').flatMap((line) => { const found = /^#\d+ +(?:0x[0-9a-f]+ in )?(\w+) \(/.exec(line); return found === null ? [] : [found[1]]; });
  const functions = [...new Set(told)];
  assert.deepEqual(functions, ['level_five', 'level_four', 'level_three', 'level_two', 'level_one', 'main']);
  assert.deepEqual(dump.threads[0]?.frames.slice(0, functions.length).map((one) => one.function), functions);
  assert.ok(dump.threads[0]?.frames.slice(1, 6).every((one) => one.how === 'rules'), 'it has no frame pointers');
  assert.match(dump.modules.find((one) => one.name === 'five-deep')?.buildId ?? '', /^[0-9a-f]{40}$/);
});

test('without the binaries a frame is module and offset, and a binary of another build is not believed', { skip }, async () => {
  const { program, core } = crashed();
  const bare = (await read(core, false)).threads[0]?.frames[0];
  assert.deepEqual([bare?.module, bare?.function], ['five-deep', undefined]);
  execFileSync('gcc', ['-O0', '-o', program, join(root, 'test/apps/five-deep.c')]);
  const other = await read(core);
  assert.equal(other.threads[0]?.frames[0]?.function, undefined);
  assert.match(other.modules.find((one) => one.name === 'five-deep')?.note ?? '', /another build/);
  fiveDeep = undefined;
});

interface Waiting { readonly file: string; readonly stack: string; readonly heapBytes: number; readonly pid: number }
/** A core of our own writer, taken while the program waits inside its chain of calls; and the stack it has told. */
async function waiting(name: string, node = process.execPath, ...nodeOptions: readonly string[]): Promise<Waiting> {
  const child = spawn(node, [...nodeOptions, chain], { stdio: ['pipe', 'pipe', 'inherit'], env: { SHOP_API_KEY: 'k9-of-the-shop-4711', PLAIN: 'seen' } });
  const pid = child.pid as number;
  try {
    const [line] = await once(createInterface({ input: child.stdout }), 'line') as [string];
    const file = join(folder, name);
    const ticks = startTicks(pid);
    assert.ok(ticks !== undefined);
    const answer = await runOwnWriter({ mode: 'fork', pid, ticks, file }, never, () => undefined, [join(root, 'dist/dump-helper.js')]);
    assert.equal(answer.say, 'done', JSON.stringify(answer));
    return { file, ...(JSON.parse(line) as { stack: string; heapBytes: number }), pid };
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

/** "at Cart.total (/srv/x.cjs:6:23)" → "total /srv/x.cjs:6:23"; the innermost has moved on within its line since it spoke. */
function said(stack: string): string[] {
  return stack.split('\n').slice(1).map((line, i) => {
    const [, what, place] = /^ +at (?:(.+?) \()?(.+?)\)?$/.exec(line) as unknown as [string, string | undefined, string];
    const name = what?.replace(/ \[as .*\]$/, '').split('.').at(-1) ?? '(anonymous)';
    return `${name} ${(i === 0 ? place.replace(/:\d+$/, '') : place).replace('<anonymous>', '(built in)')}`;
  });
}

function jsOf(dump: DumpRead): string[] {
  return (dump.javascript?.stack ?? []).map((one) => `${one.function} ${one.file === undefined ? '(built in)' : `${one.file}:${one.line}${one.function === 'waitHere' ? '' : `:${one.column}`}`}`);
}

const own = process.versions.node.split('.')[0] as string;
const others = ['22', '24'].filter((major) => major !== own).map((major) => [major, join(root, `.cache/node/${major}/package/bin/node`)] as const).filter(([, path]) => existsSync(path));
for (const [major, node] of [[own, process.execPath] as const, ...others]) {
  test(`the JavaScript stack of a living Node ${major} is the one it says itself, function by function and line by line`, { skip }, async () => {
    const { file, stack, heapBytes, pid } = await waiting(`chain-${major}.core`, node);
    const dump = await read(file);
    const own = jsOf(dump);
    const from = own.findIndex((one) => one.startsWith('waitHere '));
    assert.deepEqual(own.slice(from), said(stack));
    assert.deepEqual([dump.death, dump.process.pid, dump.javascript?.exception], [undefined, pid, undefined]);
    assert.match(dump.javascript?.runtime ?? '', new RegExp(`^Node ${major} `));
    assert.deepEqual(dump.environment, [{ name: 'PLAIN', value: 'seen', masked: false }, { name: 'SHOP_API_KEY', value: '[masked]', masked: true }]);
    assert.equal(JSON.stringify(dump).includes('k9-of-the-shop'), false);
    const share = (dump.javascript?.heapBytes ?? 0) / heapBytes;
    assert.ok(share > 0.85 && share < 1.15, `${dump.javascript?.heapBytes} of ${heapBytes} that it says itself`);
  });
}

test('the threads of Node stand where gdb says, frame by frame', { skip }, async () => {
  const { file } = await waiting('threads.core');
  const dump = await read(file);
  const told = new Map<number, string[]>();
  let thread = 0;
  // With debug symbols gdb makes up frames for tail calls, and for inlined functions frames at the same address: none of them is on the stack.
  for (const line of gdb('-iex', 'set debug-file-directory /nowhere', '-ex', 'thread apply all frame apply all -q p/x $pc', process.execPath, file).split('\n')) {
    thread = Number(/\(LWP (\d+)\)/.exec(line)?.[1] ?? thread);
    const pc = /^\$\d+ = (0x[0-9a-f]+)$/.exec(line)?.[1];
    const before = told.get(thread) ?? [];
    if (pc !== undefined) told.set(thread, before.at(-1) === pc ? before : [...before, pc]);
  }
  assert.deepEqual(new Set(told.keys()), new Set(dump.threads.map((one) => one.id)));
  let compared = 0;
  for (const one of dump.threads.slice(1)) {
    assert.deepEqual(one.frames.map((frame) => frame.pc), told.get(one.id), `thread ${one.id}`);
    compared += one.frames.length;
  }
  assert.ok(compared > 10, `${compared} frames were compared`);
  assert.ok(dump.threads.some((one) => /Worker/.test(one.name ?? '')), 'V8\'s workers are named by what they were started for');
});

test('an exception nobody caught is told with class, message and place, and becomes a finding', { skip }, async () => {
  const file = coreOf('throw.core', process.execPath, '--abort-on-uncaught-exception', chain, 'throw');
  const dump = await read(file);
  assert.deepEqual([dump.javascript?.exception?.name, dump.javascript?.exception?.message], ['VoucherMissing', 'voucher of order 4711 is missing']);
  assert.equal(jsOf(dump)[0], `checkVoucher ${chain}:23:13`);
  const ref = { session: '261121_0225000000', instance: '4a1f9c', kind: 'core-dump' as const, name: 'throw.core', bytes: dump.bytes, sha256: '0'.repeat(64) };
  const findings = (await memoryDump.analyze({ 'core-dump': [readerOf({ ref, path: file })] }, { window: { from: 0, to: 1 } }, never)).map((one) => Finding.parse(one));
  assert.deepEqual(findings.map((one) => [one.id, one.severity]), [['dump-process-died', 'critical'], ['dump-javascript', 'info'], ['dump-memory', 'info'], ['dump-threads', 'info']]);
  assert.match(findings[0]?.title ?? '', /^node \(\d+\) died of VoucherMissing: voucher of order 4711 is missing at apps\/js-chain\.cjs:23$/);
});

test('a file that is no dump is a finding that says why', { skip }, async () => {
  const ref = { session: '261121_0225000000', instance: '4a1f9c', kind: 'core-dump' as const, name: 'x.dmp', bytes: 1, sha256: '0'.repeat(64) };
  const [only, ...rest] = await memoryDump.analyze({ 'core-dump': [readerOf({ ref, path: chain })] }, { window: { from: 0, to: 1 } }, never);
  assert.deepEqual([rest.length, only?.id, only?.severity, only?.why], [0, 'dump-not-read', 'cannot-tell', 'it begins neither as an ELF core nor as a minidump.']);
});
