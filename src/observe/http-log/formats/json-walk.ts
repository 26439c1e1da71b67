// Owns the walk through one JSON object: the places of the values that are wanted, without a string or an object per line.

/** Values found lie between `from` and `to`; ESCAPED texts must be unescaped before they are read. */
export const NOTHING = 0, PLAIN = 1, ESCAPED = 2;

const QUOTE = 34, BACKSLASH = 92, COMMA = 44, COLON = 58, OPEN = 123, CLOSE = 125, LIST = 91, LIST_END = 93;

interface Key { readonly name: Uint8Array; slot: number; below: Branch | undefined }
type Branch = Map<number, Key[]>;

/** The keys that are wanted, as a tree; made once for a format. */
export interface JsonKeys { readonly root: Branch; readonly slots: number }

/** Slot i is the value at paths[i]: keys joined by "/". Keys are compared without case, "_" and "-"; of a list its first text is taken. */
export function jsonKeys(paths: readonly string[]): JsonKeys {
  const root: Branch = new Map();
  paths.forEach((path, slot) => { plant(root, path.split('/'), slot); });
  return { root, slots: paths.length };
}

function plant(root: Branch, names: readonly string[], slot: number): void {
  let branch = root;
  names.forEach((name, depth) => {
    const bytes = Buffer.from(name.toLowerCase().replace(/[_-]/g, ''));
    const hash = keyHash(bytes, 0, bytes.length);
    const same = branch.get(hash) ?? [];
    let key = same.find((one) => bytes.equals(one.name));
    if (key === undefined) { key = { name: bytes, slot: -1, below: undefined }; same.push(key); branch.set(hash, same); }
    if (depth === names.length - 1) key.slot = slot;
    else branch = key.below ??= new Map();
  });
}

export class JsonWalk {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly kind: Uint8Array;
  readonly #root: Branch;

  constructor(keys: JsonKeys) {
    this.from = new Int32Array(keys.slots);
    this.to = new Int32Array(keys.slots);
    this.kind = new Uint8Array(keys.slots);
    this.#root = keys.root;
  }

  /** False when bytes[from, to) are not one whole object. Of equal keys the last counts. */
  walk(bytes: Uint8Array, from: number, to: number): boolean {
    this.kind.fill(NOTHING);
    const end = this.#object(this.#root, bytes, from, to);
    return end >= 0 && blank(bytes, end, to) === to;
  }

  /** An object inside a text whose escapes were undone: what it holds below the path of `names`. */
  walkBelow(name: string, bytes: Uint8Array, from: number, to: number): boolean {
    const key = this.#key(this.#root, Buffer.from(name), 0, name.length);
    if (key?.below === undefined) return false;
    const begin = blank(bytes, from, to);
    const end = this.#object(key.below, bytes, begin, to);
    return end >= 0 && blank(bytes, end, to) === to;
  }

  /** Behind the closing brace, -1 when it is no object. */
  #object(branch: Branch, bytes: Uint8Array, from: number, to: number): number {
    if (bytes[from] !== OPEN || from >= to) return -1;
    let at = blank(bytes, from + 1, to);
    if (at < to && bytes[at] === CLOSE) return at + 1;
    while (at < to && bytes[at] === QUOTE) {
      const keyEnd = stringEnd(bytes, at + 1, to);
      if (keyEnd < 0) return -1;
      const key = this.#key(branch, bytes, at + 1, keyEnd);
      at = blank(bytes, keyEnd + 1, to);
      if (at >= to || bytes[at] !== COLON) return -1;
      at = blank(bytes, at + 1, to);
      at = key === undefined ? skip(bytes, at, to) : this.#value(key, bytes, at, to);
      if (at < 0) return -1;
      at = blank(bytes, at, to);
      if (at >= to) return -1;
      if (bytes[at] === CLOSE) return at + 1;
      if (bytes[at] !== COMMA) return -1;
      at = blank(bytes, at + 1, to);
    }
    return -1;
  }

  #value(key: Key, bytes: Uint8Array, from: number, to: number): number {
    const first = from < to ? bytes[from] : 0;
    if (first === OPEN && key.below !== undefined) return this.#object(key.below, bytes, from, to);
    const end = skip(bytes, from, to);
    if (end < 0 || key.slot < 0) return end;
    const item = first === LIST ? blank(bytes, from + 1, to) : from;
    if (bytes[item] === QUOTE) this.#keep(key.slot, bytes, item + 1, first === LIST ? stringEnd(bytes, item + 1, to) : end - 1);
    else if (item === from && isNumber(bytes[from] as number)) this.#keep(key.slot, bytes, from, end);
    else this.kind[key.slot] = NOTHING;
    return end;
  }

  #keep(slot: number, bytes: Uint8Array, from: number, to: number): void {
    this.from[slot] = from;
    this.to[slot] = to;
    this.kind[slot] = sawBackslash ? ESCAPED : PLAIN;
    // A number, and a text beside a list, were not passed by stringEnd().
    if (sawBackslash && bytes[from - 1] !== QUOTE) this.kind[slot] = PLAIN;
  }

  #key(branch: Branch, bytes: Uint8Array, from: number, to: number): Key | undefined {
    return branch.get(keyHash(bytes, from, to))?.find((key) => sameKey(key.name, bytes, from, to));
  }
}

/** Did the last string end behind an escape? */
let sawBackslash = false;

/** Place of the closing quote; -1 without one. */
function stringEnd(bytes: Uint8Array, from: number, to: number): number {
  sawBackslash = false;
  for (let i = from; i < to; i += 1) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) return i;
    if (byte === BACKSLASH) { sawBackslash = true; i += 1; }
  }
  return -1;
}

function blank(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] as number) <= 32) at += 1;
  return at;
}

function isNumber(byte: number): boolean { return (byte >= 48 && byte <= 57) || byte === 45; }

/** Behind the value that begins at `from`; -1 when it does not end. Depth is counted, never recursed into: a line may open a million brackets. */
function skip(bytes: Uint8Array, from: number, to: number): number {
  if (from >= to) return -1;
  const first = bytes[from] as number;
  if (first === QUOTE) { const end = stringEnd(bytes, from + 1, to); return end < 0 ? -1 : end + 1; }
  if (first !== OPEN && first !== LIST) {
    let at = from;
    while (at < to && isWord(bytes[at] as number)) at += 1;
    return at === from ? -1 : at;
  }
  let depth = 0;
  for (let i = from; i < to; i += 1) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) { i = stringEnd(bytes, i + 1, to); if (i < 0) return -1; }
    else if (byte === OPEN || byte === LIST) depth += 1;
    else if ((byte === CLOSE || byte === LIST_END) && (depth -= 1) === 0) return i + 1;
  }
  return -1;
}

/** Bytes of numbers, true, false, null. */
function isWord(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || ((byte | 32) >= 97 && (byte | 32) <= 122) || byte === 43 || byte === 45 || byte === 46;
}

/** Key bytes as they are compared: small letters; "_" and "-" (95 and 45) are not there. */
function keyHash(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811C9DC5;
  for (let i = from; i < to; i += 1) {
    const byte = bytes[i] as number;
    if (byte === 95 || byte === 45) continue;
    hash = Math.imul(hash ^ (byte >= 65 && byte <= 90 ? byte | 32 : byte), 0x0100_0193);
  }
  return hash;
}

function sameKey(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  let at = 0;
  for (let i = from; i < to; i += 1) {
    const byte = bytes[i] as number;
    if (byte === 95 || byte === 45) continue;
    if (name[at] !== (byte >= 65 && byte <= 90 ? byte | 32 : byte)) return false;
    at += 1;
  }
  return at === name.length;
}
