// Owns the profiles that are text: the output of perf script, and collapsed stacks; names of V8's --perf-basic-prof are read back into function, file and line.
import { TreeBuilder, type ProfileTree } from './tree.ts';
import { unreadableProfile } from './unreadable.ts';

const LINE_CHARS = 100_000;
const MAX_STACK = 4_096;
/** "node 4711 [001] 1234.567890:   10101010 cpu-clock:u: " */
const EVENT = /^(\S.{0,200}?)\s+(-?\d+(?:\/\d+)?)\s+(?:\[\d+\]\s+)?(\d+\.\d+):\s+(?:(\d+)\s+)?\S/;
/** "  7f1c2a LazyCompile:*handle /app/lib/store.js:12+0x3c (/tmp/perf-4711.map)" */
const FRAME = /^\s+(?:0x)?([0-9a-f]+)\s+(.*?)(?:\s+\(([^()]*(?:\([^()]*\))?[^()]*)\))?$/;
const V8_NAME = /^(?:LazyCompile|JS|Function|Script|Eval|Callback|Interpreted\w*):([~*^+-]*)(.*?)(?: ((?:file:\/\/|node:|\/|[A-Za-z]:[\\/])[^ ].*?|[\w./-]+\.[cm]?[jt]sx?)(?::(\d+))?(?::(\d+))?)?$/;
/** Between samples of one thread: what is longer was no sampling but a wait. */
const LONGEST_GAP_US = 100_000;
const USUAL_US = 1_000;

export function isPerfScript(text: string): boolean {
  return text.slice(0, 4_000).split('\n').some((line) => EVENT.test(line));
}

/** "a;b;c 12", at least half of the first lines. */
export function isCollapsed(text: string): boolean {
  const lines = text.slice(0, 20_000).split('\n').slice(0, 50).filter((line) => line.trim() !== '');
  if (text.length > 20_000) lines.pop();
  return lines.length > 0 && lines.filter((line) => /^\S.* \d+(?:\.\d+)?$/.test(line)).length >= lines.length * 0.5;
}

export function readPerfScript(text: string): ProfileTree {
  const build = new TreeBuilder();
  const lastAt = new Map<string, number>();
  let thread = '', us = USUAL_US, stack: number[] = [], inside = false, odd = 0;
  const flush = (): void => {
    if (inside && stack.length > 0) build.stack([build.frame('(root)'), build.frame(thread, '[thread]'), ...stack.reverse()], us, us);
    stack = []; inside = false;
  };
  for (const line of linesOf(text)) {
    if (line.trim() === '') { flush(); continue; }
    if (line.startsWith('#')) continue;
    const event = /^\s/.test(line) ? null : EVENT.exec(line);
    if (event !== null) {
      flush();
      thread = `${event[1]} ${event[2]}`;
      const at = Number(event[3]) * 1e6;
      const gap = at - (lastAt.get(thread) ?? NaN);
      us = gap > 0 && gap < LONGEST_GAP_US ? gap : USUAL_US;
      if (lastAt.size < 10_000) lastAt.set(thread, at);
      inside = true;
      continue;
    }
    const frame = FRAME.exec(line);
    if (frame === null || !inside) { odd += 1; continue; }
    if (stack.length < MAX_STACK) stack.push(named(build, (frame[2] ?? '').replace(/\+0x[0-9a-f]+$/, ''), frame[3] ?? ''));
  }
  flush();
  if (build.sampled === 0) throw unreadableProfile('it has no sample with a stack; record with perf record -g');
  if (odd > 0) build.notes.push(`${odd} of its lines are neither an event nor a frame and are left out`);
  return build.tree('perf', 'us');
}

export function readCollapsed(text: string): ProfileTree {
  const build = new TreeBuilder();
  let odd = 0;
  for (const line of linesOf(text)) {
    if (line.trim() === '') continue;
    const space = line.lastIndexOf(' ');
    const amount = Number(line.slice(space + 1));
    if (space <= 0 || !Number.isFinite(amount) || amount < 0 || amount > 1e15) { odd += 1; continue; }
    build.stack([build.frame('(root)'), ...line.slice(0, space).split(';', MAX_STACK).map((part) => named(build, part, ''))], amount);
  }
  if (build.sampled === 0) throw unreadableProfile('it has no stack with a number at its end');
  if (odd > 0) build.notes.push(`${odd} of its lines are no stack with a number and are left out`);
  return build.tree('collapsed', 'samples');
}

/** A frame by what profilers of the system call it. */
export function named(build: TreeBuilder, text: string, binary: string): number {
  const name = text.slice(0, 2_000).trim();
  const v8 = V8_NAME.exec(name);
  if (v8 !== null) return build.frame((v8[2] ?? '').trim() || '(anonymous)', v8[3] ?? '', Number(v8[4] ?? 0), Number(v8[5] ?? 0));
  if (/^(?:Builtin|BytecodeHandler|Stub|RegExp|Handler):/.test(name)) return build.frame(name.replace(/^RegExp:/, 'RegExp: '));
  // "handle (/app/store.js:12:3)", as 0x and speedscope write it; "_[k]" marks the kernel.
  const placed = /^(.*?) \((.+?)(?::(\d+))?(?::(\d+))?\)$/.exec(name);
  if (placed !== null) return build.frame(placed[1] ?? '', placed[2], Number(placed[3] ?? 0), Number(placed[4] ?? 0));
  if (name.endsWith('_[k]')) return build.frame(name, '[kernel.kallsyms]');
  return build.frame(name === '' || name === '[unknown]' ? '[unknown]' : name, /perf-\d+\.map$/.test(binary) ? '' : binary);
}

function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const to = end < 0 ? text.length : end;
    yield text.slice(at, Math.min(to, at + LINE_CHARS)).replace(/\r$/, '');
    at = to + 1;
  }
}
