// Owns V8's objects in a dead process: strings, maps and types, by the constants that Node's binary carries for debuggers (v8dbg_*).
import { MAX_ADDRESS, u64 } from './bytes.ts';
import type { Image } from './memory.ts';

/** Where a bytecode array has its table of source positions: not among the constants, so it is known by version, and each use checks its type. */
const POSITION_TABLE: Readonly<Record<string, number>> = { '10.2': 32, '11.3': 32, '12.4': 24, '13.6': 24 };
const NODE_OF: Readonly<Record<string, string>> = { '10.2': '18', '11.3': '20', '12.4': '22', '13.6': '24' };
const MAX_CONSTANTS = 2_000;
const MAX_STRING_CHARS = 16_384;
/** Strings are joined from strings; more parts than this, or a circle, are cut. */
const MAX_STRING_PARTS = 4_096;
const MAX_STRING_DEPTH = 256;
/** Bytes of source and of position tables looked through for one dump: what is beyond has no line. */
const WORK_BYTES = 512 * 1024 * 1024;

type Read = (address: number, sizeBytes: number) => Buffer | undefined;

/** Constants that everything below stands on: without one of them nothing is read. */
const NEEDED = [
  'SmiTag', 'SmiTagMask', 'SmiShiftSize', 'SmiValueShift', 'HeapObjectTag', 'HeapObjectTagMask', 'SystemPointerSize', 'FirstNonstringType', 'StringRepresentationMask', 'StringEncodingMask', 'SeqStringTag', 'ConsStringTag', 'ExternalStringTag', 'SlicedStringTag', 'ThinStringTag',
  'off_fp_function', 'off_fp_context_or_frame_type', 'off_fp_bytecode_array', 'off_fp_bytecode_offset', 'class_HeapObject__map', 'class_Map__instance_type', 'class_JSFunction__shared', 'class_SharedFunctionInfo__name_or_scope_info', 'class_Script__name', 'class_Script__source', 'class_Script__line_ends',
  'class_String__length', 'class_SeqOneByteString__chars', 'class_SeqTwoByteString__chars', 'class_ConsString__first', 'class_ConsString__second', 'class_SlicedString__parent', 'class_SlicedString__offset', 'class_ThinString__actual', 'class_ExternalString__resource', 'class_BytecodeArray__data', 'scopeinfo_idx_first_vars', 'scopeinfo_idx_ncontextlocals',
  'type_SharedFunctionInfo', 'type_Script', 'type_ScopeInfo', 'type_BytecodeArray', 'type_ByteArray', 'type_Map', 'type_JSError',
] as const;
type Needed = typeof NEEDED[number];

interface Within { readonly depth: number; readonly parts: { left: number } }
export interface V8Version { readonly v8: string; readonly node?: string }

/** A V8 whose constants are known, over the memory of its process. */
export class V8 {
  readonly version: V8Version;
  readonly positionTableAt: number;
  #constants: ReadonlyMap<string, number>;
  #read: Read;
  #workLeft = WORK_BYTES;

  private constructor(version: V8Version, constants: ReadonlyMap<string, number>, positionTableAt: number, read: Read) {
    this.version = version;
    this.#constants = constants;
    this.positionTableAt = positionTableAt;
    this.#read = read;
  }

  /** A string says why the JavaScript of this process cannot be read. */
  static of(image: Image, read: Read): V8 | string {
    const symbols = image.symbols();
    if (symbols === undefined) return `the binary of ${image.name} is not on this machine, and it carries the constants`;
    const version = versionOf(image);
    if (version === undefined) return `${image.name} does not say which V8 it holds`;
    const constants = new Map<string, number>();
    for (const { name, from } of symbols.startingWith('v8dbg_').slice(0, MAX_CONSTANTS)) {
      const value = image.constant(from);
      if (value !== undefined) constants.set(shortName(name), value);
    }
    const table = POSITION_TABLE[version];
    if (table === undefined) return `V8 ${version} is not one of the versions that are understood (${Object.entries(NODE_OF).map(([v8, node]) => `${v8} of Node ${node}`).join(', ')})`;
    const missing = NEEDED.filter((name) => !constants.has(name));
    if (missing.length > 0) return `its binary carries no constants for debuggers (${missing.slice(0, 3).join(', ')} missing)`;
    if (constants.get('SystemPointerSize') !== 8 || constants.get('SmiShiftSize') !== 31) return 'its pointers are compressed, which is not understood';
    return new V8({ v8: version, ...(NODE_OF[version] === undefined ? {} : { node: NODE_OF[version] }) }, constants, table, read);
  }

  constant(name: Needed): number { return this.#constants.get(name) as number; }
  optional(name: string): number | undefined { return this.#constants.get(name); }
  /** Long work asks first; a damaged dump must not keep us busy for hours. */
  mayWork(sizeBytes: number): boolean { this.#workLeft -= sizeBytes; return this.#workLeft >= 0; }

  /** The object that a field points to; undefined where it is a number or points nowhere. */
  field(object: number, offset: number): number | undefined { return this.pointer(object - this.constant('HeapObjectTag') + offset); }
  pointer(address: number): number | undefined {
    const word = this.#read(address, 8);
    if (word === undefined || ((word[0] as number) & this.constant('HeapObjectTagMask')) !== this.constant('HeapObjectTag')) return undefined;
    const value = u64(word, 0);
    return value < MAX_ADDRESS ? value : undefined;
  }
  word(address: number): number | undefined {
    const bytes = this.#read(address, 8);
    return bytes === undefined ? undefined : u64(bytes, 0);
  }
  /** A small whole number: the upper half of a word whose lower half is zero. */
  smi(address: number): number | undefined {
    const word = this.#read(address, 8);
    return word === undefined || word.readUInt32LE(0) !== 0 ? undefined : word.readInt32LE(4);
  }
  smiField(object: number, offset: number): number | undefined { return this.smi(object - this.constant('HeapObjectTag') + offset); }
  raw(object: number, offset: number, sizeBytes: number): Buffer | undefined { return this.#read(object - this.constant('HeapObjectTag') + offset, sizeBytes); }

  /** Checked: its map must itself be a map, so that a stale word of the stack is not taken for an object. */
  typeOf(object: number | undefined): number | undefined {
    const map = object === undefined ? undefined : this.field(object, this.constant('class_HeapObject__map'));
    const meta = map === undefined ? undefined : this.field(map, this.constant('class_HeapObject__map'));
    if (map === undefined || meta === undefined || this.#instanceType(meta) !== this.constant('type_Map')) return undefined;
    return this.#instanceType(map);
  }
  isA(object: number | undefined, kind: 'SharedFunctionInfo' | 'Script' | 'ScopeInfo' | 'BytecodeArray' | 'Map' | 'JSError'): object is number {
    return this.typeOf(object) === this.constant(`type_${kind}`);
  }
  isBytes(object: number | undefined): object is number {
    const type = this.typeOf(object);
    return type !== undefined && (type === this.constant('type_ByteArray') || type === this.#constants.get('type_TrustedByteArray'));
  }
  isString(object: number | undefined): object is number {
    const type = this.typeOf(object);
    return type !== undefined && type < this.constant('FirstNonstringType');
  }
  #instanceType(map: number): number | undefined { return this.raw(map, this.constant('class_Map__instance_type'), 2)?.readUInt16LE(0); }

  lengthOf(string: number): number | undefined { return this.raw(string, this.constant('class_String__length'), 4)?.readUInt32LE(0); }

  /** At most so many characters of it; undefined where it is no string or its characters are not in the dump. */
  text(string: number | undefined, maxChars = MAX_STRING_CHARS): string | undefined { return this.#text(string, maxChars, { depth: 0, parts: { left: MAX_STRING_PARTS } }); }

  #text(string: number | undefined, maxChars: number, within: Within): string | undefined {
    within.parts.left -= 1;
    if (!this.isString(string) || within.depth > MAX_STRING_DEPTH || within.parts.left < 0) return undefined;
    const length = Math.min(this.lengthOf(string) ?? 0, maxChars);
    const type = this.typeOf(string) as number;
    switch (type & this.constant('StringRepresentationMask')) {
      case this.constant('ConsStringTag'): return this.#cons(string, length, { ...within, depth: within.depth + 1 });
      case this.constant('ThinStringTag'): return this.#text(this.field(string, this.constant('class_ThinString__actual')), maxChars, { ...within, depth: within.depth + 1 });
      case this.constant('SlicedStringTag'): return this.#sliced(string, length);
      default: { const flat = this.flat(string); return flat?.chars(0, length); }
    }
  }

  #cons(string: number, maxChars: number, within: Within): string | undefined {
    const first = this.#text(this.field(string, this.constant('class_ConsString__first')), maxChars, within);
    if (first === undefined || first.length >= maxChars) return first;
    const second = this.#text(this.field(string, this.constant('class_ConsString__second')), maxChars - first.length, within);
    return second === undefined ? `${first}…` : first + second;
  }

  #sliced(string: number, length: number): string | undefined {
    const parent = this.field(string, this.constant('class_SlicedString__parent'));
    const from = this.smiField(string, this.constant('class_SlicedString__offset'));
    return parent === undefined || from === undefined || from < 0 ? undefined : this.flat(parent)?.chars(from, length);
  }

  /** A string whose characters lie in one row, wherever. */
  flat(string: number): { readonly length: number; readonly twoBytes: boolean; chars(from: number, count: number): string | undefined } | undefined {
    if (!this.isString(string)) return undefined;
    const type = this.typeOf(string) as number;
    const length = this.lengthOf(string) ?? 0;
    const twoBytes = (type & this.constant('StringEncodingMask')) === 0;
    const representation = type & this.constant('StringRepresentationMask');
    if (representation === this.constant('ThinStringTag')) { const actual = this.field(string, this.constant('class_ThinString__actual')); return actual === undefined || actual === string ? undefined : this.#flatOnce(actual); }
    const start = this.#charsAt(string, representation, twoBytes);
    return start === undefined ? undefined : { length, twoBytes, chars: (from, count) => this.#chars(start, twoBytes, from, Math.min(count, length - from)) };
  }

  #flatOnce(string: number): ReturnType<V8['flat']> {
    const type = this.typeOf(string);
    return type === undefined || (type & this.constant('StringRepresentationMask')) === this.constant('ThinStringTag') ? undefined : this.flat(string);
  }

  #charsAt(string: number, representation: number, twoBytes: boolean): number | undefined {
    const tag = this.constant('HeapObjectTag');
    if (representation === this.constant('SeqStringTag')) return string - tag + this.constant(twoBytes ? 'class_SeqTwoByteString__chars' : 'class_SeqOneByteString__chars');
    if (representation !== this.constant('ExternalStringTag')) return undefined;
    // Behind the resource stands the cached address of its characters.
    const word = this.raw(string, this.constant('class_ExternalString__resource') + 8, 8);
    return word === undefined ? undefined : u64(word, 0);
  }

  #chars(start: number, twoBytes: boolean, from: number, count: number): string | undefined {
    const bytes = count < 0 ? undefined : this.#read(start + from * (twoBytes ? 2 : 1), count * (twoBytes ? 2 : 1));
    return bytes?.toString(twoBytes ? 'utf16le' : 'latin1');
  }
}

/** "v8dbg_class_Script__name__Tagged_Object_" → "class_Script__name"; "v8dbg_type_Map__MAP_TYPE" → "type_Map" */
function shortName(name: string): string {
  const parts = name.slice('v8dbg_'.length).split('__');
  return name.startsWith('v8dbg_class_') ? parts.slice(0, 2).join('__') : parts[0] as string;
}

function versionOf(image: Image): string | undefined {
  const found = new Map((image.symbols()?.startingWith('_ZN2v88internal7Version') ?? []).map(({ name, from }) => [name, from]));
  const [major, minor] = ['_ZN2v88internal7Version6major_E', '_ZN2v88internal7Version6minor_E'].map((name) => { const at = found.get(name); return at === undefined ? undefined : image.constant(at); });
  return major === undefined || minor === undefined ? undefined : `${major}.${minor}`;
}
