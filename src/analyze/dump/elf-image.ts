// Owns one ELF binary or library: its build id, where its code is described for unwinding, and its symbols, from its file or from memory.
import { inside, u64, zeroEnded, type Bytes } from './bytes.ts';

const PT_LOAD = 1, PT_NOTE = 4, PT_GNU_EH_FRAME = 0x6474_e550, NT_GNU_BUILD_ID = 3;
const SHT_SYMTAB = 2, SHT_DYNSYM = 11;
const MAX_PROGRAM_HEADERS = 128;
const MAX_SECTIONS = 1_024;
const NOTE_BYTES = 4_096;
const SYMBOL_BYTES = 24;
/** Node has 140,000; 24 MB as numbers. What is beyond has no name. */
const MAX_SYMBOLS = 1_000_000;
const PIECE_SYMBOLS = 32_768;
const NAME_BYTES = 1_024;

export interface ProgramHeader { readonly kind: number; readonly at: number; readonly address: number; readonly fileBytes: number; readonly memoryBytes: number }
export interface ElfHead { readonly programs: readonly ProgramHeader[]; readonly sectionsAt: number; readonly sections: number; readonly buildId?: string }
export interface Symbol { readonly name: string; readonly from: number; readonly sizeBytes: number }

/** Headers of a binary; undefined where it is none for x86-64. */
export function readHead(bytes: Bytes): ElfHead | undefined {
  const head = bytes.read(0, 64);
  if (head === undefined || head.readUInt32BE(0) !== 0x7f45_4c46 || head[4] !== 2 || head[5] !== 1 || head.readUInt16LE(18) !== 62 || head.readUInt16LE(54) !== 56) return undefined;
  const programs: ProgramHeader[] = [];
  for (let i = 0; i < Math.min(head.readUInt16LE(56), MAX_PROGRAM_HEADERS); i += 1) {
    const row = bytes.read(u64(head, 32) + i * 56, 56);
    if (row === undefined) break;
    programs.push({ kind: row.readUInt32LE(0), at: u64(row, 8), address: u64(row, 16), fileBytes: u64(row, 32), memoryBytes: u64(row, 40) });
  }
  const notes = programs.filter((one) => one.kind === PT_NOTE).map((one) => bytes.read(one.at, Math.min(one.fileBytes, NOTE_BYTES)));
  const buildId = notes.map(buildIdIn).find((id) => id !== undefined);
  return { programs, sectionsAt: u64(head, 40), sections: head.readUInt16LE(58) === 64 ? Math.min(head.readUInt16LE(60), MAX_SECTIONS) : 0, ...(buildId === undefined ? {} : { buildId }) };
}

function buildIdIn(notes: Buffer | undefined): string | undefined {
  for (let at = 0; notes !== undefined && at + 12 <= notes.length;) {
    const [nameBytes, contentBytes, kind] = [notes.readUInt32LE(at), notes.readUInt32LE(at + 4), notes.readUInt32LE(at + 8)];
    const content = at + 12 + Math.ceil(nameBytes / 4) * 4;
    if (content + contentBytes > notes.length) return undefined;
    if (kind === NT_GNU_BUILD_ID && nameBytes === 4 && notes.toString('latin1', at + 12, at + 15) === 'GNU' && contentBytes >= 4 && contentBytes <= 64) return notes.toString('hex', content, content + contentBytes);
    at = content + Math.ceil(contentBytes / 4) * 4;
  }
  return undefined;
}

/** Address that belongs to a place in the file: what a mapping with this offset begins with. */
export function addressOf(head: ElfHead, offset: number): number | undefined {
  const load = head.programs.find((one) => one.kind === PT_LOAD && offset >= one.at - (one.at % 4_096) && offset < one.at + one.fileBytes);
  return load === undefined ? undefined : load.address + (offset - load.at);
}

export function unwindTable(head: ElfHead): ProgramHeader | undefined {
  return head.programs.find((one) => one.kind === PT_GNU_EH_FRAME);
}

interface Table { readonly at: number; readonly count: number; readonly names: number; readonly namesBytes: number; readonly left: number }

/** Symbols of one file, sorted by address, their names read when asked for. */
export class Symbols {
  #at = new Float64Array(0);
  #rows = new Uint32Array(0);
  readonly #table: Table;
  readonly count: number;
  readonly left: number;
  #bytes: Bytes;

  constructor(bytes: Bytes, head: ElfHead) {
    this.#bytes = bytes;
    this.#table = tableOf(bytes, head);
    this.left = this.#table.left;
    this.count = this.#table.count;
    this.#sort();
  }

  /** The symbol an address lies in: functions before labels, the one that begins last. */
  at(address: number): Symbol | undefined {
    let [low, high] = [0, this.#at.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#at[middle] as number) <= address) low = middle + 1; else high = middle;
    }
    for (let i = low - 1; i >= Math.max(0, low - 8); i -= 1) {
      const row = this.#row(this.#rows[i] as number);
      if (row === undefined) return undefined;
      if (row.sizeBytes === 0 ? i === low - 1 : address < row.from + row.sizeBytes) return { ...row, name: this.#name(row.nameAt) };
    }
    return undefined;
  }

  /** Every symbol whose name begins so, with its value: one walk over all names. */
  startingWith(prefix: string): Symbol[] {
    const found: Symbol[] = [];
    const wanted = Buffer.from(prefix);
    for (let i = 0; i < this.count; i += 1) {
      const row = this.#row(i);
      if (row === undefined || row.from === 0) continue;
      if (this.#bytes.read(this.#table.names + row.nameAt, wanted.length)?.equals(wanted) === true) found.push({ ...row, name: this.#name(row.nameAt) });
    }
    return found;
  }

  #sort(): void {
    const at = new Float64Array(this.count);
    const rows: number[] = [];
    const { at: from, count } = this.#table;
    for (let first = 0; first < count; first += PIECE_SYMBOLS) {
      const piece = this.#bytes.read(from + first * SYMBOL_BYTES, Math.min(PIECE_SYMBOLS, count - first) * SYMBOL_BYTES);
      for (let i = 0; piece !== undefined && i < piece.length; i += SYMBOL_BYTES) {
        const kind = (piece[i + 4] as number) & 15;            // no type, a function, or one that is chosen at its first call
        const row = first + i / SYMBOL_BYTES;
        if ((kind === 0 || kind === 2 || kind === 10) && piece.readUInt16LE(i + 6) !== 0) { at[row] = u64(piece, i + 8); rows.push(row); }
      }
    }
    rows.sort((a, b) => (at[a] as number) - (at[b] as number));
    this.#rows = Uint32Array.from(rows);
    this.#at = Float64Array.from(rows, (row) => at[row] as number);
  }

  #row(index: number): { from: number; sizeBytes: number; nameAt: number } | undefined {
    const bytes = this.#bytes.read(this.#table.at + index * SYMBOL_BYTES, SYMBOL_BYTES);
    return bytes === undefined ? undefined : { nameAt: bytes.readUInt32LE(0), from: u64(bytes, 8), sizeBytes: u64(bytes, 16) };
  }

  #name(nameAt: number): string {
    const { names, namesBytes } = this.#table;
    if (nameAt >= namesBytes) return '';
    return zeroEnded(this.#bytes.read(names + nameAt, Math.min(NAME_BYTES, namesBytes - nameAt)) ?? Buffer.alloc(0));
  }
}

/** .symtab where there is one, else .dynsym: the second is part of the first. */
function tableOf(bytes: Bytes, head: ElfHead): Table {
  const section = (i: number): Buffer | undefined => (i < head.sections ? bytes.read(head.sectionsAt + i * 64, 64) : undefined);
  for (const kind of [SHT_SYMTAB, SHT_DYNSYM]) {
    for (let i = 0; i < head.sections; i += 1) {
      const row = section(i);
      if (row?.readUInt32LE(4) !== kind) continue;
      const names = section(row.readUInt32LE(40));
      const [at, size] = [u64(row, 24), u64(row, 32)];
      if (names === undefined || u64(row, 56) !== SYMBOL_BYTES || at + size > bytes.sizeBytes || !inside(u64(names, 24), 1, bytes.sizeBytes)) continue;
      const count = Math.min(Math.floor(size / SYMBOL_BYTES), MAX_SYMBOLS);
      return { at, count, names: u64(names, 24), namesBytes: Math.min(u64(names, 32), bytes.sizeBytes - u64(names, 24)), left: Math.floor(size / SYMBOL_BYTES) - count };
    }
  }
  return { at: 0, count: 0, names: 0, namesBytes: 0, left: 0 };
}
