// Owns callers on 64-bit Windows: by the tables of a module where its memory is in the dump, else by what on the stack may be one (x64 exception handling, Microsoft).
import { u64, zeroEnded } from './bytes.ts';

const MAX_FRAMES = 256;
const MAX_CHAIN = 32;
const MAX_EXPORTS = 200_000;
const SCANNED_BYTES = 64 * 1024;
const SCANNED_FRAMES = 64;
const RSP = 4, RIP = 16;

type Read = (address: number, sizeBytes: number) => Buffer | undefined;
export interface WinFrame { readonly pc: number; readonly how: 'context' | 'rules' | 'scan'; readonly function?: string }
interface Module { readonly from: number; readonly sizeBytes: number }
interface Tables { readonly functions: number; readonly count: number; readonly exports: ReadonlyMap<number, string> }
interface RuntimeFunction { readonly begin: number; readonly end: number; readonly unwind: number }

export class WindowsStacks {
  #read: Read;
  #moduleAt: (address: number) => Module | undefined;
  #tables = new Map<number, Tables | undefined>();

  constructor(read: Read, moduleAt: (address: number) => Module | undefined) {
    this.#read = read;
    this.#moduleAt = moduleAt;
  }

  /** Innermost first. From the first frame without a table on, callers are looked for on the stack, each told as such. */
  walk(registers: readonly number[]): WinFrame[] {
    const frames: WinFrame[] = [];
    let now = [...registers];
    let how: WinFrame['how'] = 'context';
    while (frames.length < MAX_FRAMES) {
      const pc = now[RIP] as number;
      if (pc === 0) return frames;
      frames.push({ pc, how, ...this.#named(how === 'context' ? pc : pc - 1) });
      const next = this.#caller(now, how === 'context');
      if (next === undefined) return this.#scanned(frames, now[RSP] as number);
      if ((next[RSP] as number) <= (now[RSP] as number)) return frames;
      now = next;
      how = 'rules';
    }
    return frames;
  }

  #scanned(frames: WinFrame[], sp: number): WinFrame[] {
    for (let at = sp - (sp % 8); at < sp + SCANNED_BYTES && frames.length < SCANNED_FRAMES; at += 8) {
      const word = this.#read(at, 8);
      if (word === undefined) break;
      const value = u64(word, 0);
      if (this.#moduleAt(value) !== undefined && this.#behindCall(value)) frames.push({ pc: value, how: 'scan' });
    }
    return frames;
  }

  /** Where the code is in the dump, a call must stand before the address; where it is not, the address alone must do. */
  #behindCall(address: number): boolean {
    const code = this.#read(address - 7, 7);
    if (code === undefined) return true;
    if (code[2] === 0xe8) return true;
    return [6, 5, 4, 3, 1, 0].some((at) => code[at] === 0xff && ((code[at + 1] ?? 0) & 0x38) === 0x10);
  }

  #caller(now: readonly number[], first: boolean): number[] | undefined {
    const pc = now[RIP] as number;
    const module = this.#moduleAt(first ? pc : pc - 1);
    const tables = module === undefined ? undefined : this.#tablesOf(module);
    if (module === undefined || tables === undefined) return undefined;
    const entry = this.#functionAt(module, tables, (first ? pc : pc - 1) - module.from);
    const next = [...now];
    if (entry === undefined) return first ? this.#returned(next) : undefined;   // a leaf calls nobody: only the innermost frame can be one
    const machine = this.#undo(module, entry, pc - module.from - entry.begin, next);
    if (machine === undefined) return undefined;
    return machine ? next : this.#returned(next);
  }

  #returned(next: number[]): number[] | undefined {
    const word = this.#read(next[RSP] as number, 8);
    if (word === undefined) return undefined;
    next[RIP] = u64(word, 0);
    next[RSP] = (next[RSP] as number) + 8;
    return next;
  }

  /** Undoes the prologue; true: the frame was one of the processor's own, with the return address in it. */
  #undo(module: Module, start: RuntimeFunction, done: number, next: number[]): boolean | undefined {
    let [entry, offset] = [start, done];
    for (let n = 0; n < MAX_CHAIN; n += 1) {
      const head = this.#read(module.from + entry.unwind, 4);
      if (head === undefined) return undefined;
      const [first = 0, , count = 0, frame = 0] = head;
      const codes = this.#read(module.from + entry.unwind + 4, count * 2);
      if (codes === undefined) return undefined;
      const machine = this.#codes(codes, offset, frame, next);
      if (machine !== false) return machine;
      if ((first >> 3 & 4) === 0) return false;
      const chained = this.#row(module.from + entry.unwind + 4 + (count + (count & 1)) * 2);
      if (chained === undefined) return undefined;
      [entry, offset] = [chained, Infinity];
    }
    return undefined;
  }

  #codes(codes: Buffer, offset: number, frame: number, next: number[]): boolean | undefined {
    for (let at = 0; at + 2 <= codes.length;) {
      const [place = 0, both = 0] = [codes[at], codes[at + 1]];
      const [op, fact] = [both & 15, both >> 4];
      const slots = op === 1 ? (fact === 0 ? 2 : 3) : op === 4 || op === 8 ? 2 : op === 5 || op === 9 ? 3 : 1;
      if (at + slots * 2 > codes.length || op === 7 || op > 10) return undefined;
      if (place <= offset && op !== 6) {
        const done = this.#code(codes, at, { op, fact, frame }, next);
        if (done !== false) return done;
      }
      at += slots * 2;
    }
    return false;
  }

  #code(codes: Buffer, at: number, { op, fact, frame }: { op: number; fact: number; frame: number }, next: number[]): boolean | undefined {
    const sp = next[RSP] as number;
    const load = (register: number, from: number): boolean | undefined => { const word = this.#read(from, 8); if (word === undefined) return undefined; next[register] = u64(word, 0); return false; };
    switch (op) {
      case 0: next[RSP] = sp + 8; return load(fact, sp);
      case 1: next[RSP] = sp + (fact === 0 ? codes.readUInt16LE(at + 2) * 8 : codes.readUInt32LE(at + 2)); return false;
      case 2: next[RSP] = sp + fact * 8 + 8; return false;
      case 3: next[RSP] = (next[frame & 15] as number) - (frame >> 4) * 16; return false;
      case 4: return load(fact, sp + codes.readUInt16LE(at + 2) * 8);
      case 5: return load(fact, sp + codes.readUInt32LE(at + 2));
      case 10: {
        const from = sp + (fact === 1 ? 8 : 0);
        const [pc, stack] = [this.#read(from, 8), this.#read(from + 24, 8)];
        if (pc === undefined || stack === undefined) return undefined;
        next[RIP] = u64(pc, 0);
        next[RSP] = u64(stack, 0);
        return true;
      }
      default: return false;                                   // vector registers
    }
  }

  /** The function's own name, where it begins with an exported one; the nearest export alone would be a guess. */
  #named(pc: number): { function?: string } {
    const module = this.#moduleAt(pc);
    const tables = module === undefined ? undefined : this.#tablesOf(module);
    if (module === undefined || tables === undefined) return {};
    const begin = this.#functionAt(module, tables, pc - module.from)?.begin;
    const name = begin === undefined ? undefined : tables.exports.get(begin);
    return name === undefined ? {} : { function: name };
  }

  #functionAt(module: Module, tables: Tables, offset: number): RuntimeFunction | undefined {
    let [low, high] = [0, tables.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const begin = this.#read(module.from + tables.functions + middle * 12, 4)?.readUInt32LE(0);
      if (begin === undefined) return undefined;
      if (begin <= offset) low = middle + 1; else high = middle;
    }
    const found = low === 0 ? undefined : this.#row(module.from + tables.functions + (low - 1) * 12);
    return found !== undefined && offset < found.end ? found : undefined;
  }

  #row(at: number): RuntimeFunction | undefined {
    const row = this.#read(at, 12);
    return row === undefined ? undefined : { begin: row.readUInt32LE(0), end: row.readUInt32LE(4), unwind: row.readUInt32LE(8) };
  }

  #tablesOf(module: Module): Tables | undefined {
    if (!this.#tables.has(module.from)) this.#tables.set(module.from, this.#findTables(module));
    return this.#tables.get(module.from);
  }

  #findTables(module: Module): Tables | undefined {
    const dos = this.#read(module.from, 64);
    const pe = dos?.readUInt16LE(0) === 0x5a4d ? module.from + dos.readUInt32LE(60) : undefined;
    const head = pe === undefined ? undefined : this.#read(pe, 24 + 144);
    if (head?.readUInt32LE(0) !== 0x4550 || head.readUInt16LE(24) !== 0x20b) return undefined;
    const [at, sizeBytes] = [head.readUInt32LE(24 + 112 + 24), head.readUInt32LE(24 + 112 + 28)];
    if (at === 0 || at + sizeBytes > module.sizeBytes || this.#read(module.from + at, 12) === undefined) return undefined;
    return { functions: at, count: Math.floor(sizeBytes / 12), exports: this.#exportsOf(module, head.readUInt32LE(24 + 112)) };
  }

  #exportsOf(module: Module, at: number): Map<number, string> {
    const found = new Map<number, string>();
    const head = at === 0 ? undefined : this.#read(module.from + at, 40);
    if (head === undefined) return found;
    const count = Math.min(head.readUInt32LE(24), MAX_EXPORTS);
    const [functions, names, ordinals] = [this.#read(module.from + head.readUInt32LE(28), Math.min(head.readUInt32LE(20), MAX_EXPORTS) * 4), this.#read(module.from + head.readUInt32LE(32), count * 4), this.#read(module.from + head.readUInt32LE(36), count * 2)];
    if (functions === undefined || names === undefined || ordinals === undefined) return found;
    for (let i = 0; i < count; i += 1) {
      const place = ordinals.readUInt16LE(i * 2) * 4;
      const name = place + 4 <= functions.length ? this.#read(module.from + names.readUInt32LE(i * 4), 128) : undefined;
      if (name !== undefined) found.set(functions.readUInt32LE(place), zeroEnded(name));
    }
    return found;
  }
}
