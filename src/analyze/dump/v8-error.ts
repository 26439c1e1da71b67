// Owns what V8 knows of an error and of its heap: the exception on a thread's stack with its class and message, and which memory is JavaScript's.
import type { Segment } from './core.ts';
import { functionName } from './v8-frames.ts';
import type { V8 } from './v8.ts';

/** From the place of death down to the first frame of JavaScript, and a little beyond. */
const STACK_BYTES = 64 * 1024;
const MAX_CANDIDATES = 64;
const MAX_PROPERTIES = 64;
const MAX_DICTIONARY_BYTES = 4_096;
const MAX_MESSAGE_CHARS = 2_000;
const MAX_STACK_CHARS = 8_000;
const MAX_MAPS = 32;
/** V8 asks for memory in pieces that begin so. */
const CHUNK_ALIGN = 256 * 1024;
/** Up to 9 KiB of each are V8's own notes about it. */
const LOOKED_BYTES = 16_384;
/** Words of a page that point to maps; native memory holds a few too. */
const LEAST_MAPS = 16;
const MAX_LOOKED = 8_192;
const ARENA_ALIGN = 64 * 1024 * 1024;

export interface JsError { readonly name: string; readonly message: string; readonly stack?: string; readonly code?: string }

/** The error object that lies nearest to the place where the thread stands. */
export function errorOnStack(v8: V8, sp: number, to: number): JsError | undefined {
  const seen = new Set<number>();
  for (let at = sp - (sp % 8); at < Math.min(to, sp + STACK_BYTES) && seen.size < MAX_CANDIDATES; at += 8) {
    const object = v8.pointer(at);
    if (object === undefined || seen.has(object)) continue;
    if (!v8.isA(object, 'JSError')) continue;
    seen.add(object);
    const error = errorOf(v8, object);
    if (error !== undefined) return error;
  }
  return undefined;
}

function errorOf(v8: V8, error: number): JsError | undefined {
  const properties = propertiesOf(v8, error);
  const message = v8.text(properties.get('message'), MAX_MESSAGE_CHARS);
  const name = v8.text(properties.get('name'), 200) ?? className(v8, error);
  if (message === undefined && name === undefined) return undefined;
  const code = v8.text(properties.get('code'), 100);
  const stack = [...properties.values()].map((value) => v8.text(value, MAX_STACK_CHARS)).find((text) => text?.includes('\n    at ') === true);
  return { name: name ?? 'Error', message: message ?? '', ...(stack === undefined ? {} : { stack }), ...(code === undefined ? {} : { code }) };
}

/** Fields by name, as the object's map describes them; those without a name of text under their number. */
function propertiesOf(v8: V8, object: number): Map<string, number> {
  const found = new Map<string, number>();
  const [details, descriptors, mask, shift] = [v8.optional('class_Map__bit_field3'), v8.optional('class_Map__instance_descriptors'), v8.optional('bit_field3_number_of_own_descriptors_mask'), v8.optional('bit_field3_number_of_own_descriptors_shift')];
  const map = v8.field(object, v8.constant('class_HeapObject__map'));
  if (map === undefined || details === undefined || descriptors === undefined || mask === undefined || shift === undefined) return found;
  const own = ((v8.raw(map, details, 4)?.readUInt32LE(0) ?? 0) & mask) >>> shift;
  const list = v8.field(map, descriptors);
  const head = v8.optional('class_DescriptorArray__header_size') ?? 24;
  for (let i = 0; list !== undefined && i < Math.min(own, MAX_PROPERTIES); i += 1) {
    const row = head + i * 24;
    const says = v8.smiField(list, row + 8 * (v8.optional('prop_desc_details') ?? 1));
    const value = says === undefined ? undefined : valueOf(v8, object, map, says);
    if (value !== undefined) found.set(v8.text(v8.field(list, row), 100) ?? `#${i}`, value);
  }
  return found;
}

/** In the object itself, or in the list behind it. */
function valueOf(v8: V8, object: number, map: number, details: number): number | undefined {
  const inField = (details & (v8.optional('prop_location_mask') ?? 32)) >>> (v8.optional('prop_location_shift') ?? 5) === (v8.optional('prop_location_Field') ?? 0);
  if (!inField || (details & (v8.optional('prop_kind_mask') ?? 1)) !== (v8.optional('prop_kind_Data') ?? 0)) return undefined;
  const index = (details & (v8.optional('prop_index_mask') ?? 0)) >>> (v8.optional('prop_index_shift') ?? 0);
  const size = v8.raw(map, v8.optional('class_Map__instance_size_in_words') ?? 8, 2);
  if (size === undefined) return undefined;
  const [words, start] = [size[0] as number, size[1] as number];
  if (start + index < words) return v8.field(object, (start + index) * 8);
  const outside = v8.field(object, v8.optional('class_JSReceiver__raw_properties_or_hash') ?? 8);
  return outside === undefined ? undefined : v8.field(outside, 16 + (index - (words - start)) * 8);
}

/** A class that extends an error is known by its prototype; else maps lead back to the one their constructor made. */
function className(v8: V8, object: number): string | undefined {
  const at = v8.optional('class_Map__prototype');
  const map = v8.field(object, v8.constant('class_HeapObject__map'));
  const prototype = at === undefined || map === undefined ? undefined : v8.field(map, at);
  const made = prototype === undefined ? undefined : propertiesOf(v8, prototype).get('constructor') ?? fromDictionary(v8, prototype, 'constructor');
  return nameOfFunction(v8, made) ?? constructorName(v8, object);
}

function nameOfFunction(v8: V8, object: number | undefined): string | undefined {
  const shared = object === undefined ? undefined : v8.field(object, v8.constant('class_JSFunction__shared'));
  return v8.isA(shared, 'SharedFunctionInfo') ? functionName(v8, shared) : undefined;
}

/** Objects with many or changing fields keep them in a list of names, each before its value. */
function fromDictionary(v8: V8, object: number, name: string): number | undefined {
  const list = v8.field(object, v8.optional('class_JSReceiver__raw_properties_or_hash') ?? 8);
  for (let at = 16; list !== undefined && at < MAX_DICTIONARY_BYTES; at += 8) {
    const key = v8.field(list, at);
    if (v8.isString(key) && v8.lengthOf(key) === name.length && v8.text(key) === name) return v8.field(list, at + 8);
  }
  return undefined;
}

function constructorName(v8: V8, object: number): string | undefined {
  const back = v8.optional('class_Map__constructor_or_back_pointer');
  let map = v8.field(object, v8.constant('class_HeapObject__map'));
  for (let n = 0; back !== undefined && map !== undefined && n < MAX_MAPS; n += 1) {
    const next = v8.field(map, back);
    if (!v8.isA(next, 'Map')) return nameOfFunction(v8, next);
    map = next;
  }
  return undefined;
}

/** Anonymous memory that begins where V8's pieces do and holds objects: words that point to maps, which only objects begin with. */
export function javascriptSegments(v8: V8, segments: readonly Segment[]): Set<number> {
  const found = new Set<number>();
  let looked = 0;
  for (const { from, fileBytes } of segments) {
    if (isArena(v8, from)) continue;
    for (let at = Math.ceil(from / CHUNK_ALIGN) * CHUNK_ALIGN; at + LOOKED_BYTES <= from + fileBytes && looked < MAX_LOOKED; at += CHUNK_ALIGN) {
      looked += 1;
      if (holdsObjects(v8, at, at === from ? fileBytes : 0)) { found.add(from); break; }
      if (at > from + 16 * CHUNK_ALIGN) break;                 // one of the first pieces of V8's memory is in use
    }
  }
  return found;
}

/** The allocator of native memory begins each of its own pieces with the address of what stands right behind (glibc, heap_info). */
function isArena(v8: V8, from: number): boolean {
  const first = from % ARENA_ALIGN === 0 ? v8.word(from) : undefined;
  return first !== undefined && first > from && first < from + LOOKED_BYTES;
}

function holdsObjects(v8: V8, page: number, aloneBytes: number): boolean {
  let maps = 0;
  for (let at = page; at < page + LOOKED_BYTES; at += 8) {
    const object = v8.pointer(at);
    if (object === undefined || !v8.isA(object, 'Map')) continue;
    maps += 1;
    if (maps >= LEAST_MAPS || fills(v8.smi(at + 8), aloneBytes)) return true;
  }
  return false;
}

/** A large array lies alone: after its map its length, which the memory fits. */
function fills(length: number | undefined, restBytes: number): boolean {
  return restBytes > 0 && length !== undefined && [1, 8].some((unit) => length * unit <= restBytes && length * unit > restBytes / 2);
}
