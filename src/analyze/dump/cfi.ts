// Owns the rules of one instruction address by which the caller's registers are found: .eh_frame_hdr, .eh_frame (LSB 10.6, DWARF 4 section 6.4).
import { i64, u64 } from './bytes.ts';

/** A description of one function is some hundred bytes. */
const MAX_ENTRY_BYTES = 64 * 1024;
const MAX_STEPS = 4_096;
const MAX_REMEMBERED = 64;
const MAX_COLUMNS = 17;

export type Read = (address: number, sizeBytes: number) => Buffer | undefined;
export type Rule =
  | { readonly kind: 'same' | 'undefined' }
  | { readonly kind: 'offset' | 'value-offset'; readonly offset: number }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'expression' | 'value-expression'; readonly code: Buffer };
export interface Rules {
  readonly cfa: { readonly register: number; readonly offset: number } | { readonly code: Buffer };
  readonly columns: ReadonlyMap<number, Rule>;
  readonly returnColumn: number;
  /** The frame of a signal: the next one stands at its instruction, not behind a call. */
  readonly signal: boolean;
}

/** Rules at `pc`; undefined where no function of the table holds it or its description cannot be read. */
export function rulesAt(pc: number, table: { readonly address: number; readonly sizeBytes: number }, read: Read): Rules | undefined {
  const entry = entryFor(pc, table, read);
  if (entry === undefined) return undefined;
  const fde = record(entry, read);
  if (fde === undefined || fde.id === 0) return undefined;
  const cie = commonOf(fde.idAt - fde.id, read);
  if (cie === undefined) return undefined;
  const reader = new Reader(fde.body, 4, fde.at);
  const from = reader.pointer(cie.encoding, table.address);
  const size = reader.pointer(cie.encoding & 0x0f, table.address);
  if (from === undefined || size === undefined || pc < from || pc >= from + size) return undefined;
  if (cie.augmented) reader.skip(reader.uleb());
  return new Program(cie).run(reader.rest(), from, pc);
}

/** Binary search in the table of .eh_frame_hdr: pairs of function and description, relative to the table, sorted. */
function entryFor(pc: number, table: { readonly address: number; readonly sizeBytes: number }, read: Read): number | undefined {
  const head = read(table.address, 12);
  if (head === undefined || head[0] !== 1 || head[2] !== 3 || head[3] !== 0x3b) return undefined;   // count as udata4, table as datarel sdata4: what all linkers write
  let [low, high] = [0, Math.min(head.readUInt32LE(8), Math.floor((table.sizeBytes - 12) / 8))];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = read(table.address + 12 + middle * 8, 4);
    if (row === undefined) return undefined;
    if (table.address + row.readInt32LE(0) <= pc) low = middle + 1; else high = middle;
  }
  const row = low === 0 ? undefined : read(table.address + 12 + (low - 1) * 8, 8);
  return row === undefined ? undefined : table.address + row.readInt32LE(4);
}

interface RecordOf { readonly at: number; readonly idAt: number; readonly id: number; readonly body: Buffer }
/** body begins at the id. */
function record(at: number, read: Read): RecordOf | undefined {
  const head = read(at, 8);
  if (head === undefined) return undefined;
  const size = head.readUInt32LE(0);
  if (size < 8 || size > MAX_ENTRY_BYTES) return undefined;
  const body = read(at + 4, size);
  return body === undefined ? undefined : { at: at + 4, idAt: at + 4, id: head.readUInt32LE(4), body };
}

interface Common { readonly codeAlign: number; readonly dataAlign: number; readonly returnColumn: number; readonly encoding: number; readonly augmented: boolean; readonly signal: boolean; readonly start: Buffer }

function commonOf(at: number, read: Read): Common | undefined {
  const one = record(at, read);
  if (one === undefined || one.id !== 0) return undefined;
  const version = one.body[4];
  const textEnd = one.body.indexOf(0, 5);
  if ((version !== 1 && version !== 3) || textEnd < 0) return undefined;
  const letters = one.body.toString('latin1', 5, textEnd);
  const reader = new Reader(one.body, textEnd + 1, one.at);
  const [codeAlign, dataAlign] = [reader.uleb(), reader.sleb()];
  const returnColumn = version === 1 ? reader.byte() : reader.uleb();
  let encoding = 0;
  if (letters.startsWith('z')) {
    const end = reader.uleb() + reader.at;
    for (const letter of letters.slice(1)) {
      if (letter === 'R') encoding = reader.byte();
      else if (letter === 'L') reader.byte();
      else if (letter === 'P') reader.pointer(reader.byte(), 0);
    }
    reader.at = end;
  }
  return { codeAlign, dataAlign, returnColumn, encoding, augmented: letters.startsWith('z'), signal: letters.includes('S'), start: reader.rest() };
}

interface State { cfa: Rules['cfa']; columns: Map<number, Rule> }

/** Runs the instructions up to the wanted address. */
class Program {
  #cie: Common;
  #now: State = { cfa: { register: 7, offset: 8 }, columns: new Map() };
  #start = new Map<number, Rule>();
  #remembered: State[] = [];
  constructor(cie: Common) { this.#cie = cie; }

  run(body: Buffer, from: number, pc: number): Rules | undefined {
    if (this.#steps(this.#cie.start, from, Infinity) === undefined) return undefined;
    this.#start = new Map(this.#now.columns);
    if (this.#steps(body, from, pc) === undefined) return undefined;
    return { cfa: this.#now.cfa, columns: this.#now.columns, returnColumn: this.#cie.returnColumn, signal: this.#cie.signal };
  }

  #steps(body: Buffer, from: number, pc: number): true | undefined {
    const reader = new Reader(body, 0, 0);
    let at = from;
    for (let n = 0; n < MAX_STEPS && reader.at < body.length; n += 1) {
      const moved = this.#step(reader, reader.byte());
      if (moved === undefined || reader.broken) return undefined;
      at += moved * this.#cie.codeAlign;
      if (at > pc) return true;
    }
    return true;
  }

  /** How far the place moves on; undefined for an instruction that is not known. */
  #step(r: Reader, op: number): number | undefined {
    const low = op & 0x3f;
    if (op >= 0xc0) return this.#restore(low);
    if (op >= 0x80) return this.#set(low, { kind: 'offset', offset: r.uleb() * this.#cie.dataAlign });
    if (op >= 0x40) return low;
    if (op >= 0x02 && op <= 0x04) return r.fixed(1 << (op - 2));
    if (op >= 0x0c && op <= 0x13 && op !== 0x10) return this.#cfa(r, op);
    return this.#column(r, op);
  }

  #cfa(r: Reader, op: number): 0 | undefined {
    const { cfa } = this.#now;
    if (op === 0x0c) this.#now.cfa = { register: r.uleb(), offset: r.uleb() };
    else if (op === 0x12) this.#now.cfa = { register: r.uleb(), offset: r.sleb() * this.#cie.dataAlign };
    else if (op === 0x0f) this.#now.cfa = { code: r.block() };
    else if (op === 0x11) return this.#set(r.uleb(), { kind: 'offset', offset: r.sleb() * this.#cie.dataAlign });
    else if ('code' in cfa) return undefined;
    else if (op === 0x0d) this.#now.cfa = { register: r.uleb(), offset: cfa.offset };
    else this.#now.cfa = { register: cfa.register, offset: op === 0x0e ? r.uleb() : r.sleb() * this.#cie.dataAlign };
    return 0;
  }

  #column(r: Reader, op: number): 0 | undefined {
    switch (op) {
      case 0x00: return 0;
      case 0x05: return this.#set(r.uleb(), { kind: 'offset', offset: r.uleb() * this.#cie.dataAlign });
      case 0x06: return this.#restore(r.uleb());
      case 0x07: return this.#set(r.uleb(), { kind: 'undefined' });
      case 0x08: return this.#set(r.uleb(), { kind: 'same' });
      case 0x09: return this.#set(r.uleb(), { kind: 'register', register: r.uleb() });
      case 0x0a: return this.#remember();
      case 0x0b: return this.#recall();
      case 0x10: return this.#set(r.uleb(), { kind: 'expression', code: r.block() });
      case 0x14: return this.#set(r.uleb(), { kind: 'value-offset', offset: r.uleb() * this.#cie.dataAlign });
      case 0x15: return this.#set(r.uleb(), { kind: 'value-offset', offset: r.sleb() * this.#cie.dataAlign });
      case 0x16: return this.#set(r.uleb(), { kind: 'value-expression', code: r.block() });
      case 0x2e: r.uleb(); return 0;                           // size of arguments, for exceptions only
      default: return undefined;
    }
  }

  #set(column: number, rule: Rule): 0 {
    if (column < MAX_COLUMNS) this.#now.columns.set(column, rule);   // vector registers are of no use here
    return 0;
  }
  #restore(column: number): 0 {
    const rule = this.#start.get(column);
    if (rule === undefined) this.#now.columns.delete(column); else this.#now.columns.set(column, rule);
    return 0;
  }
  #remember(): 0 | undefined {
    if (this.#remembered.length >= MAX_REMEMBERED) return undefined;
    this.#remembered.push({ cfa: this.#now.cfa, columns: new Map(this.#now.columns) });
    return 0;
  }
  #recall(): 0 | undefined {
    const state = this.#remembered.pop();
    if (state === undefined) return undefined;
    this.#now = state;
    return 0;
  }
}

/** Reads on in a piece of bytes; past its end everything is zero and `broken` is set. */
export class Reader {
  at: number;
  broken = false;
  #bytes: Buffer;
  #address: number;
  /** `address` is where byte 0 of `bytes` was mapped. */
  constructor(bytes: Buffer, at: number, address: number) { this.#bytes = bytes; this.at = at; this.#address = address; }

  byte(): number { return this.fixed(1); }
  fixed(sizeBytes: number): number {
    if (this.at + sizeBytes > this.#bytes.length) { this.broken = true; this.at = this.#bytes.length; return 0; }
    const at = this.at;
    this.at += sizeBytes;
    return sizeBytes === 8 ? u64(this.#bytes, at) : this.#bytes.readUIntLE(at, sizeBytes);
  }
  signed(sizeBytes: number): number {
    if (this.at + sizeBytes > this.#bytes.length) return this.fixed(sizeBytes);
    const at = this.at;
    this.at += sizeBytes;
    return sizeBytes === 8 ? i64(this.#bytes, at) : this.#bytes.readIntLE(at, sizeBytes);
  }
  uleb(): number { return this.#leb(false); }
  sleb(): number { return this.#leb(true); }
  block(): Buffer {
    const size = this.uleb();
    const piece = this.#bytes.subarray(this.at, this.at + size);
    this.skip(size);
    return piece;
  }
  skip(sizeBytes: number): void {
    this.at += sizeBytes;
    if (this.at > this.#bytes.length) { this.broken = true; this.at = this.#bytes.length; }
  }
  rest(): Buffer { return this.#bytes.subarray(this.at); }

  /** DW_EH_PE: the form in the low half, what it is relative to in the high one. */
  pointer(encoding: number, table: number): number | undefined {
    const here = this.#address + this.at;
    const form = encoding & 0x0f;
    const value = form === 0 || form === 4 ? this.fixed(8) : form === 1 ? this.uleb() : form === 2 ? this.fixed(2) : form === 3 ? this.fixed(4)
      : form === 9 ? this.sleb() : form === 0x0a ? this.signed(2) : form === 0x0b ? this.signed(4) : form === 0x0c ? this.signed(8) : undefined;
    const relative = encoding & 0x70;
    return value === undefined || this.broken ? undefined : relative === 0x10 ? here + value : relative === 0x30 ? table + value : relative === 0 ? value : undefined;
  }

  #leb(signed: boolean): number {
    let value = 0;
    for (let scale = 1, n = 0; n < 8; scale *= 128, n += 1) {
      const byte = this.fixed(1);
      value += (byte & 0x7f) * scale;
      if ((byte & 0x80) === 0) return signed && (byte & 0x40) !== 0 ? value - scale * 128 : value;
    }
    this.broken = true;
    return 0;
  }
}
