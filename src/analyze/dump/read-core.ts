// Owns the reading of a core as a whole: why the process died, where each thread stood, what JavaScript ran, what filled the memory.
import { setImmediate } from 'node:timers/promises';
import type { DumpFrame, DumpProgress, DumpRead, DumpThread } from '../../shared/dump-read.ts';
import { maskCommandLine } from '../../shared/mask.ts';
import { bytes as inBytes, plural } from '../../shared/units.ts';
import type { Masker } from '../masker.ts';
import { areasOf } from './areas.ts';
import { hex, type Bytes } from './bytes.ts';
import { RIP, RSP, readCore, type CoreThread } from './core.ts';
import { demangle } from './demangle.ts';
import { CoreMemory, placeName, type Image } from './memory.ts';
import { signalMeaning } from './signals.ts';
import { environmentOf, searchTexts } from './texts.ts';
import { MAX_FRAMES, walk, type RawFrame } from './unwind.ts';
import { errorOnStack, javascriptSegments } from './v8-error.ts';
import { jsFrame } from './v8-frames.ts';
import { V8 } from './v8.ts';

/** Threads with a stack in the answer; a process has some dozen. */
const TOLD_THREADS = 512;
const TOLD_FRAMES = 128;
const REGISTERS = ['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip'];

export interface ReadOptions {
  /** May the binaries of this machine be opened, where they are the ones of then? */
  readonly files: boolean;
  readonly signal: AbortSignal;
  progress?(at: DumpProgress): void;
}

/** The parts of a reading and their share of its time, as measured: stacks, memory, texts. */
export const SHARES = { stacks: 0.3, memory: 0.3, texts: 0.4 } as const;

/** @throws DUMP_UNREADABLE where it is no core at all */
export async function readElfCore(bytes: Bytes, options: ReadOptions): Promise<DumpRead> {
  const core = readCore(bytes);
  const memory = new CoreMemory(bytes, core, options);
  try {
    return await told(memory, bytes, options);
  } finally {
    memory.close();
  }
}

async function told(memory: CoreMemory, bytes: Bytes, { signal, progress }: ReadOptions): Promise<DumpRead> {
  const { core } = memory;
  const environment = environmentOf(memory);
  const runtime = javascriptOf(memory);
  const v8 = runtime !== undefined && typeof runtime.v8 !== 'string' ? runtime.v8 : undefined;
  const threads: DumpThread[] = [];
  for (const [i, thread] of core.threads.slice(0, TOLD_THREADS).entries()) {
    signal.throwIfAborted();
    progress?.({ note: `stack ${i + 1} of ${core.threads.length}`, fraction: SHARES.stacks * i / core.threads.length });
    await setImmediate();
    threads.push(threadOf(memory, thread, v8, environment.mask));
  }
  progress?.({ note: 'memory by area', fraction: SHARES.stacks });
  await setImmediate();
  const javascript = v8 === undefined ? new Set<number>() : javascriptSegments(v8, core.segments.filter((one) => (one.flags & 2) !== 0 && memory.imageAt(one.from) === undefined));
  const areas = areasOf(memory, javascript);
  const writable = core.segments.filter((one) => (one.flags & 2) !== 0 && one.fileBytes > 0).map((one) => [one.at, one.fileBytes] as const);
  const { texts, leftBytes } = await searchTexts((at, size) => bytes.read(at, size), writable, environment.mask, signal, (share) => { progress?.({ note: 'texts in its memory', fraction: SHARES.stacks + SHARES.memory + SHARES.texts * share }); });
  const death = deathOf(memory, threads[0]);
  const notes = [...core.notes, ...(core.threads.length > TOLD_THREADS ? [`${plural(core.threads.length - TOLD_THREADS, 'thread')} beyond ${TOLD_THREADS} are not told`] : []), ...(leftBytes > 0 ? [`texts were not searched for in ${inBytes(leftBytes)}`] : []), ...(environment.shown.length === 0 ? ['the environment was not found'] : [])];
  return {
    version: 1, format: 'core', bytes: bytes.sizeBytes,
    process: { system: 'Linux, x86-64', ...(core.process === undefined ? {} : { pid: core.process.pid, name: core.process.name, commandLine: environment.mask.text(maskCommandLine(core.process.commandLine)).text }) },
    ...(death === undefined ? {} : { death }),
    threads: threads.map((one, i) => (i === 0 && death !== undefined ? { ...one, died: true } : one)),
    modules: memory.images.map(moduleOf), memory: areas, texts, environment: environment.shown, notes,
    ...(runtime === undefined ? {} : { javascript: javascriptTold(memory, runtime, threads[0], environment.mask, areas) }),
  };
}

const moduleOf = (image: Image): DumpRead['modules'][number] => ({ name: image.name, path: image.path, from: hex(image.from), bytes: image.to - image.from, ...(image.head.buildId === undefined ? {} : { buildId: image.head.buildId }), ...(image.note === undefined ? {} : { note: image.note }) });

/** Node is the binary that carries V8, or a library of that name. */
function javascriptOf(memory: CoreMemory): { image: Image; v8: V8 | string } | undefined {
  const image = memory.images.find((one) => /^(?:node|nodejs|libnode\.so.*)$/.test(one.name));
  return image === undefined ? undefined : { image, v8: V8.of(image, (at, size) => memory.read(at, size)) };
}

function javascriptTold(memory: CoreMemory, { v8 }: { v8: V8 | string }, main: DumpThread | undefined, mask: Masker, areas: DumpRead['memory']): NonNullable<DumpRead['javascript']> {
  if (typeof v8 === 'string') return { runtime: 'Node', understood: false, why: v8, stack: [] };
  const { version } = v8;
  const stack = (main?.frames ?? []).flatMap((frame) => (frame.js === undefined ? [] : [frame.js]));
  const registers = memory.core.threads[0]?.registers;
  const sp = registers?.[RSP];
  const end = sp === undefined ? undefined : memory.segmentAt(sp);
  const error = memory.core.signal === undefined && main?.died !== true && stack.length === 0 ? undefined : sp === undefined || end === undefined ? undefined : errorOnStack(v8, sp, end.from + end.memoryBytes);
  const heapBytes = areas.byKind.find((one) => one.kind === 'javascript')?.bytes;
  return {
    runtime: `Node ${version.node ?? ''} (V8 ${version.v8})`, understood: true, stack,
    ...(stack.length === 0 ? { why: 'no JavaScript was running on the main thread' } : {}),
    ...(error === undefined ? {} : { exception: { ...error, message: mask.text(error.message).text, ...(error.stack === undefined ? {} : { stack: mask.text(error.stack).text }) } }),
    ...(heapBytes === undefined ? {} : { heapBytes }),
  };
}

function threadOf(memory: CoreMemory, thread: CoreThread, v8: V8 | undefined, mask: Masker): DumpThread {
  const { frames, cut } = walk(thread.registers, {
    read: (at, size) => memory.read(at, size),
    tableFor: (pc) => memory.imageAt(pc)?.unwindAt,
    isCode: (pc) => memory.isCode(pc),
  });
  const told = frames.slice(0, TOLD_FRAMES).map((frame) => frameOf(memory, frame, v8, mask));
  const name = told.map((frame) => frame.function).reverse().find((word) => word !== undefined && !OUTER.test(word));
  const more = frames.length - told.length;
  return {
    id: thread.tid, registers: Object.fromEntries(REGISTERS.map((word, i) => [word, hex(thread.registers[i] as number)])), frames: told,
    ...(name === undefined || thread.tid === memory.core.process?.pid ? (thread.tid === memory.core.process?.pid ? { name: 'main' } : {}) : { name }),
    ...(more > 0 ? { more } : {}),
    ...(cut ? { note: `more than ${MAX_FRAMES} frames: a recursion without end is likely` } : {}),
  };
}

/** What every thread begins with. */
const OUTER = /^(?:(?:__)*(?:GI_+)*clone3?|start_thread|_start|__libc_start.*|main|std::.*)$/;

function frameOf(memory: CoreMemory, frame: RawFrame, v8: V8 | undefined, mask: Masker): DumpFrame {
  const at = frame.afterCall ? frame.pc - 1 : frame.pc;
  const image = memory.imageAt(at);
  const symbol = image?.symbol(at);
  const js = v8 === undefined || (image !== undefined && symbol?.name.startsWith('Builtins_') === false) ? undefined : jsFrame(v8, frame.fp);
  return {
    pc: hex(frame.pc), how: frame.how,
    ...(image === undefined ? {} : { module: image.name, offset: hex(frame.pc - image.from) }),
    ...(symbol === undefined ? {} : { function: demangle(symbol.name) }),
    ...(js === undefined ? {} : { js: { ...js, function: mask.text(js.function).text } }),
  };
}

function deathOf(memory: CoreMemory, thread: DumpThread | undefined): DumpRead['death'] {
  const { core } = memory;
  const first = core.threads[0];
  const signal = core.signal?.signal ?? first?.signal ?? 0;
  if (signal <= 0 || STOPS.has(signal) || stoppedByTracer(signal, core.signal?.code)) return undefined;
  const meaning = signalMeaning(signal, core.signal?.code ?? 0, core.signal?.address ?? 0, first?.registers[RSP]);
  const frame = thread?.frames[0];
  const place = frame === undefined || first === undefined ? undefined : frame.function === undefined ? placeName(memory.imageAt(first.registers[RIP] as number), first.registers[RIP] as number) : `${frame.function} (${frame.module})`;
  const known = FATAL.find(([word]) => thread?.frames.some((one) => one.function !== undefined && word.test(one.function)) === true)?.[1];
  return {
    name: meaning.name, code: signal, meaning: known ?? meaning.meaning, ...(first === undefined ? {} : { thread: first.tid }),
    ...(meaning.faultAddress && core.signal !== undefined ? { address: hex(core.signal.address) } : {}), ...(place === undefined ? {} : { place }),
  };
}

/** Functions in which a process ends itself, and why. */
const FATAL: readonly (readonly [RegExp, string])[] = [
  [/FatalProcessOutOfMemory|OOMErrorHandler|OnOOMError/, 'the JavaScript heap was full and V8 ended the process'],
  [/TriggerUncaughtException|Isolate::CreateMessageOrAbort/, 'an exception that nobody caught; the process was started with --abort-on-uncaught-exception'],
  [/node::(?:Abort|Assert)\b|V8_Fatal/, 'a check inside Node failed and ended the process'],
  [/__stack_chk_fail|__fortify_fail/, 'a buffer on the stack was written beyond its end'],
  [/malloc_printerr/, 'the memory allocator found its lists destroyed'],
];

/** SIGSTOP and SIGCONT stand in cores of living processes. */
const STOPS = new Set([18, 19, 20]);

/** Who writes a core of a living process stops it first: the kernel tells that as SIGTRAP with the kind of stop above the lowest byte (ptrace(2)). */
function stoppedByTracer(signal: number, code: number | undefined): boolean {
  return signal === 5 && code !== undefined && code > 0xff;
}
