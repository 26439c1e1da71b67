// Owns the native stack of a thread: caller after caller by unwind rules, and by frame pointers where there are none.
import { u64 } from './bytes.ts';
import { Reader, rulesAt, type Read, type Rule, type Rules } from './cfi.ts';
import { RBP, RIP, RSP, type Registers } from './core.ts';

/** A recursion that ended in a full stack has some hundred thousand frames; the first tell what it was. */
export const MAX_FRAMES = 512;
const MAX_EXPRESSION_STEPS = 256;
const MAX_DEPTH = 64;
/** What a callee must leave as it was (System V ABI, x86-64, figure 3.4). */
const KEPT = new Set([3, 6, 7, 12, 13, 14, 15]);

/** context: the registers themselves; rules: unwind information; frame-pointer: guessed from the chain of frame pointers. */
export type How = 'context' | 'rules' | 'frame-pointer';
export interface RawFrame { readonly pc: number; readonly sp: number; readonly fp: number; readonly how: How; /** Stands behind a call: the instruction before it is the one to name. */ readonly afterCall: boolean }
export interface World { readonly read: Read; tableFor(pc: number): { readonly address: number; readonly sizeBytes: number } | undefined; isCode(pc: number): boolean }

/** The innermost first. `cut`: there are more. */
export function walk(registers: Registers, world: World): { frames: RawFrame[]; cut: boolean } {
  const frames: RawFrame[] = [];
  let now: (number | undefined)[] = [...registers];
  let how: How = 'context';
  let afterCall = false;
  while (frames.length < MAX_FRAMES) {
    const [pc, sp] = [now[RIP], now[RSP]];
    if (pc === undefined || sp === undefined || (pc === 0 && frames.length > 0)) return { frames, cut: false };
    frames.push({ pc, sp, fp: now[RBP] ?? 0, how, afterCall });
    const next = callerOf(now, pc, sp, afterCall, frames.length === 1, world);
    if (next === undefined) return { frames, cut: false };
    ({ registers: now, how, afterCall } = next);
  }
  return { frames, cut: true };
}

interface Caller { readonly registers: (number | undefined)[]; readonly how: How; readonly afterCall: boolean }

function callerOf(now: readonly (number | undefined)[], pc: number, sp: number, afterCall: boolean, first: boolean, world: World): Caller | undefined {
  const table = world.tableFor(pc);
  const rules = table === undefined ? undefined : rulesAt(afterCall ? pc - 1 : pc, table, world.read);
  const by = rules === undefined ? undefined : byRules(now, rules, world.read);
  if (rules !== undefined && by === undefined) return undefined;
  if (by !== undefined) return goesOut(by.registers, sp, rules?.signal === true) ? by : undefined;
  // A call into nowhere: the address after the call still stands on top of the stack.
  const top = first && !world.isCode(pc) ? word(world.read, sp) : undefined;
  if (top !== undefined && world.isCode(top)) return { registers: replaced(now, top, sp + 8, now[RBP]), how: 'frame-pointer', afterCall: true };
  return byFramePointer(now, sp, world);
}

/** A stack is left upwards; a loop would never end. Signal frames may come from another stack. */
function goesOut(next: readonly (number | undefined)[], sp: number, signal: boolean): boolean {
  const up = next[RSP];
  return up !== undefined && (signal || up > sp);
}

function byFramePointer(now: readonly (number | undefined)[], sp: number, world: World): Caller | undefined {
  const fp = now[RBP];
  if (fp === undefined || fp < sp || fp % 8 !== 0) return undefined;
  const pair = world.read(fp, 16);
  if (pair === undefined) return undefined;
  const back = u64(pair, 8);
  return world.isCode(back) ? { registers: replaced(now, back, fp + 16, u64(pair, 0)), how: 'frame-pointer', afterCall: true } : undefined;
}

function replaced(now: readonly (number | undefined)[], pc: number, sp: number, fp: number | undefined): (number | undefined)[] {
  const next = [...now];
  [next[RIP], next[RSP], next[RBP]] = [pc, sp, fp];
  return next;
}

function word(read: Read, address: number): number | undefined {
  const bytes = read(address, 8);
  return bytes === undefined ? undefined : u64(bytes, 0);
}

function byRules(now: readonly (number | undefined)[], rules: Rules, read: Read): Caller | undefined {
  const cfa = 'code' in rules.cfa ? evaluate(rules.cfa.code, now, read) : sum(now[rules.cfa.register], rules.cfa.offset);
  if (cfa === undefined) return undefined;
  const next = now.map((value, register): number | undefined => {
    const rule = rules.columns.get(register);
    if (rule === undefined) return register === RSP ? cfa : KEPT.has(register) ? value : undefined;
    return valueOf(rule, cfa, now, read);
  });
  if (rules.columns.get(rules.returnColumn)?.kind === 'undefined') return undefined;               // the outermost frame says so
  next[RIP] = next[rules.returnColumn];
  return next[RIP] === undefined ? undefined : { registers: next, how: 'rules', afterCall: !rules.signal };
}

const sum = (a: number | undefined, b: number): number | undefined => (a === undefined ? undefined : a + b);

function valueOf(rule: Rule, cfa: number, now: readonly (number | undefined)[], read: Read): number | undefined {
  switch (rule.kind) {
    case 'offset': return word(read, cfa + rule.offset);
    case 'value-offset': return cfa + rule.offset;
    case 'register': return now[rule.register];
    case 'expression': { const at = evaluate(rule.code, now, read, cfa); return at === undefined ? undefined : word(read, at); }
    case 'value-expression': return evaluate(rule.code, now, read, cfa);
    case 'undefined': case 'same': return undefined;
  }
}

/** DWARF expressions as far as signal frames and jump tables use them (DWARF 4, 2.5.1). */
function evaluate(code: Buffer, now: readonly (number | undefined)[], read: Read, cfa?: number): number | undefined {
  const r = new Reader(code, 0, 0);
  const stack: number[] = cfa === undefined ? [] : [cfa];
  for (let n = 0; n < MAX_EXPRESSION_STEPS && r.at < code.length; n += 1) {
    const value = step(r, r.byte(), stack, now, read);
    if (value === undefined || r.broken || stack.length >= MAX_DEPTH) return undefined;
    stack.push(value);
  }
  return stack.pop();
}

function step(r: Reader, op: number, stack: number[], now: readonly (number | undefined)[], read: Read): number | undefined {
  if (op >= 0x30 && op <= 0x4f) return op - 0x30;
  if (op >= 0x70 && op <= 0x8f) { const offset = r.sleb(); return sum(now[op - 0x70], offset); }
  switch (op) {
    case 0x08: return r.fixed(1);
    case 0x09: return r.signed(1);
    case 0x0a: return r.fixed(2);
    case 0x0b: return r.signed(2);
    case 0x0c: return r.fixed(4);
    case 0x0d: return r.signed(4);
    case 0x0e: return r.fixed(8);
    case 0x0f: return r.signed(8);
    case 0x10: return r.uleb();
    case 0x11: return r.sleb();
    case 0x12: return stack.at(-1);
    case 0x96: return stack.pop();
    default: return arithmetic(r, op, stack, read);
  }
}

function arithmetic(r: Reader, op: number, stack: number[], read: Read): number | undefined {
  const top = stack.pop();
  if (top === undefined) return undefined;
  if (op === 0x06) return word(read, top);
  if (op === 0x23) return top + r.uleb();
  const below = stack.pop();
  if (below === undefined) return undefined;
  switch (op) {
    case 0x1a: return Number.isSafeInteger(below) && Number.isSafeInteger(top) ? Number(BigInt.asUintN(64, BigInt(below)) & BigInt.asUintN(64, BigInt(top))) : undefined;
    case 0x1c: return below - top;
    case 0x22: return below + top;
    case 0x24: return top > 63 ? 0 : below * 2 ** top;
    case 0x2a: return below >= top ? 1 : 0;
    case 0x2b: return below > top ? 1 : 0;
    case 0x2c: return below <= top ? 1 : 0;
    case 0x2d: return below < top ? 1 : 0;
    default: return undefined;
  }
}
