// Owns the walk over the objects of a page of V8's heap: where each begins and ends, how many there are, and how often they point to each other.
import type { HeapDensity } from '../platform.ts';
import { ArrayPlaces } from './array-places.ts';
import { TextSample } from './text-sample.ts';

export const PAGE_BYTES = 256 * 1024;
const WORD_BYTES = 8;
/** A page's own header ends within it. */
const MAX_HEADER_BYTES = 16 * 1024;
/** A page is counted when so much of it was walked without losing the way. */
const UNDERSTOOD_SHARE = 0.5;
/** InstanceType: all strings come before it; their encoding and what they are made of stand in its lowest bits. */
const FIRST_NONSTRING_TYPE = 0x80;
const SHAPE_MASK = 0x07, SEQUENTIAL = 0, ONE_BYTE = 0x08, NOT_INTERNALIZED = 0x20;
/** InstanceType: what programs hold as objects comes after it (V8 10 to 13: internal types end below 300, objects begin above 1,040). */
const FIRST_RECEIVER_TYPE = 0x400;
/** Of an object of a program the third word is its elements, and its own properties follow. */
const ELEMENTS_AT = 16, PROPERTIES_AT = 24;
/** Elements that are looked at for each map of objects: which of the kinds of arrays hold elements is soon known. */
const ELEMENTS_LOOKS = 8;
/** v8::internal::heap_snapshot_string_limit */
const KEPT_CHARACTERS = 1_024;
/** Objects of a map that are tried before the way to their size is settled. */
const VOTES = 32;

/** Of a text, to know it again. And one in so many is taken: what was made together lies together, and would be taken for all that there is. */
const HASHED_BYTES = 64, TEXTS_APART = 16;

/** Places of a large object that are looked at, and how much there. */
const LARGE_LOOKS = 16, LARGE_LOOK_BYTES = 2_048;

/** Reads some of the target's memory; false where nothing is. */
export type Peek = (into: Buffer, sizeBytes: number, at: number) => boolean;

/** Ways in which the second word of an object tells its size. */
const SIZED = [
  { name: 'words', bytesOf: (length: number): number => 16 + length * WORD_BYTES },
  { name: 'bytes', bytesOf: (length: number): number => up(16 + length) },
  { name: 'free', bytesOf: (length: number): number => length },
] as const;
type Sized = typeof SIZED[number];

/** What a map says of its objects. `bytes` is 0 where they differ; `sized` is found by trying. */
interface Shape { readonly map: number; readonly type: number; readonly bytes: number; readonly usedBytes: number; sized: Sized | undefined; tried: number; looks: number; readonly votes: Map<Sized, number> }

interface Counts { objects: number; receivers: number; references: number; strings: number; internalized: number; characters: number; bytes: number; lostBytes: number; longest: number; readonly inArrays: Map<number, number>; readonly texts: number[] }

/**
 * Nothing is believed of V8 but: an object begins with a pointer to its map, a map's map is a map of its own kind whose map is itself,
 * a map holds the size of its objects in words (0: they differ) and their type, and where sizes differ the second word tells them, in one of three ways.
 * Where a walk ends at no object's beginning it was lost, and looks for the next one.
 */
export class PageWalk {
  readonly #peek: Peek;
  /** By the upper and the lower half of a map's address: whole addresses are no small integers, and V8 keeps those as objects. */
  readonly #shapes = new Map<number, Map<number, Shape | undefined>>();
  readonly #page = Buffer.from(new ArrayBuffer(PAGE_BYTES));
  readonly #words = new Uint32Array(this.#page.buffer);
  readonly #writable: ReadonlySet<number>;
  readonly #few = Buffer.alloc(16);
  readonly #sum: Counts = noCounts();
  #now: Counts = noCounts();
  /** Maps of arrays that are the elements of objects. */
  readonly #elements = new Set<number>();
  readonly #texts = new TextSample();
  readonly #large = new Map<number, number>();
  readonly #places = new ArrayPlaces();

  /** @param places where pages may begin. What lies elsewhere (undefined, empty arrays, the maps of strings) is shared by all heaps: a snapshot has no edges to it. */
  constructor(peek: Peek, places: readonly number[]) {
    this.#peek = peek;
    this.#writable = new Set(places.map((at) => pageOf(Math.floor(at / 2 ** 32), at % 2 ** 32)));
  }

  /** Is the page that begins there one large object; then it is looked at here and there. */
  large(at: number): boolean {
    if (!this.#peek(this.#page, MAX_HEADER_BYTES, at)) return false;
    const place = this.#firstObject(MAX_HEADER_BYTES - 16);
    const shape = place === undefined ? undefined : this.#shapeAt(place);
    if (place === undefined || shape === undefined || shape.bytes > 0) return false;
    if (shape.type < FIRST_NONSTRING_TYPE) return this.#word(place + 12) > PAGE_BYTES / 2;
    const length = this.#word(place + 8) === 0 ? this.#word(place + 12) : 0;
    const bytes = length * WORD_BYTES;
    if (bytes < PAGE_BYTES / 2) return false;
    return this.#look(at + place + 16, length, shape);
  }

  #look(begins: number, length: number, shape: Shape): true {
    const looks: number[] = [];
    for (let look = 0; look < LARGE_LOOKS; look += 1) {
      const from = begins + Math.floor(look * (length * WORD_BYTES - LARGE_LOOK_BYTES) / (LARGE_LOOKS - 1) / WORD_BYTES) * WORD_BYTES;
      // A string or bytes of as many bytes as words were believed: it ends before.
      if (!this.#peek(this.#page, LARGE_LOOK_BYTES, from)) return true;
      looks.push(this.#referencesIn(0, LARGE_LOOK_BYTES) * WORD_BYTES / LARGE_LOOK_BYTES);
    }
    const each = length / LARGE_LOOKS;
    for (const [look, share] of looks.entries()) if (share > 0) this.#places.hold(look * each, (look + 1) * each, share);
    add(this.#large, shape.map, Math.round(looks.reduce((sum, share) => sum + share * each, 0)));
    return true;
  }

  /** Walks the page that begins there; false when it was not understood, and then it is not counted. */
  page(at: number): boolean {
    if (!this.#peek(this.#page, PAGE_BYTES, at)) return false;
    let place = this.#firstObject(MAX_HEADER_BYTES);
    if (place === undefined) return false;
    this.#now = noCounts();
    while (place < PAGE_BYTES) place = this.#object(place);
    if (this.#now.bytes === 0 || this.#now.lostBytes > (1 - UNDERSTOOD_SHARE) * (this.#now.bytes + this.#now.lostBytes)) return false;
    this.#keep(this.#now);
    return true;
  }

  get objects(): number { return this.#sum.objects; }

  /** undefined when no page was understood. */
  density(): HeapDensity | undefined {
    const { objects, receivers, references, strings, internalized, characters, bytes, lostBytes, longest, inArrays } = this.#sum;
    if (bytes === 0) return undefined;
    const elements = (of: ReadonlyMap<number, number>): number => [...of].reduce((sum, [map, count]) => sum + (this.#elements.has(map) ? count : 0), 0);
    return {
      objects: objects / bytes, receivers: receivers / bytes, references: references / bytes, elements: elements(inArrays) / bytes,
      strings: strings / bytes, internalized: internalized / bytes, characters: characters / bytes, differentTexts: this.#texts.different(),
      largeReferences: [...this.#large.values()].reduce((sum, one) => sum + one, 0), largeElements: elements(this.#large), arrayPlaces: Math.max(longest, this.#places.count()), walkedBytes: bytes, lostBytes,
    };
  }

  #keep(now: Counts): void {
    const sum = this.#sum;
    for (const name of ['objects', 'receivers', 'references', 'strings', 'internalized', 'characters', 'bytes', 'lostBytes'] as const) sum[name] += now[name];
    sum.longest = Math.max(sum.longest, now.longest);
    for (const [map, count] of now.inArrays) add(sum.inArrays, map, count);
    for (const text of now.texts) this.#texts.take(text);
  }

  #firstObject(before: number): number | undefined {
    for (let place = WORD_BYTES * 2; place < before; place += WORD_BYTES) if (this.#shapeAt(place) !== undefined) return place;
    return undefined;
  }

  /** Counts the object that begins there. Where the next one begins. */
  #object(place: number): number {
    const shape = this.#shapeAt(place);
    const end = shape === undefined ? undefined : this.#endOf(place, shape);
    if (shape === undefined || end === undefined) {
      const next = this.#nextObject(place + WORD_BYTES);
      this.#now.lostBytes += next - place;
      return next;
    }
    if (isFiller(shape)) return end;
    this.#now.objects += 1;
    this.#now.bytes += end - place;
    if (shape.type >= FIRST_RECEIVER_TYPE) this.#receiver(place, Math.min(end, place + shape.usedBytes), shape);
    if (shape.type < FIRST_NONSTRING_TYPE && (shape.type & SHAPE_MASK) === SEQUENTIAL) this.#string(place, shape);
    else if (shape.sized?.name !== 'bytes') {
      const count = this.#referencesIn(place + WORD_BYTES, end);
      this.#now.references += count;
      if (shape.sized !== undefined && count > 0) {
        this.#now.longest = Math.max(this.#now.longest, count);
        add(this.#now.inArrays, shape.map, count);
      }
    }
    return end;
  }

  #string(place: number, shape: Shape): void {
    const length = this.#word(place + 12), kept = Math.min(KEPT_CHARACTERS, length);
    this.#now.strings += 1;
    this.#now.characters += kept;
    if ((shape.type & NOT_INTERNALIZED) === 0) { this.#now.internalized += 1; return; }
    if (this.#now.strings % TEXTS_APART > 0) return;
    let hash = length;
    const end = place + 16 + Math.min(kept * ((shape.type & ONE_BYTE) === 0 ? 2 : 1), HASHED_BYTES);
    for (let at = place + 16; at < end; at += 1) hash = Math.imul(hash ^ (this.#page[at] as number), 0x01000193);
    this.#now.texts.push(hash >>> 0);
  }

  #receiver(place: number, end: number, shape: Shape): void {
    this.#now.receivers += 1;
    for (let at = place + PROPERTIES_AT; at < end; at += WORD_BYTES) if (this.#shared(at)) this.#now.references += 1;
    if (shape.looks >= ELEMENTS_LOOKS) return;
    const elements = this.#pointer(place + ELEMENTS_AT);
    if (elements === undefined || !this.#peek(this.#few, WORD_BYTES, elements - 1)) return;
    shape.looks += 1;
    this.#elements.add(Number(this.#few.readBigUInt64LE(0)));
  }

  #endOf(place: number, shape: Shape): number | undefined {
    const fits = (end: number): boolean => end > place && end <= PAGE_BYTES && (end === PAGE_BYTES || this.#shapeAt(end) !== undefined);
    if (shape.bytes > 0) return fits(place + shape.bytes) ? place + shape.bytes : undefined;
    if (shape.type < FIRST_NONSTRING_TYPE) {
      const length = this.#word(place + 12);
      const end = place + up(16 + length * ((shape.type & ONE_BYTE) === 0 ? 2 : 1));
      return fits(end) ? end : undefined;
    }
    // A small integer stands in the upper half of its word.
    const length = this.#word(place + 8) === 0 ? this.#word(place + 12) : NaN;
    const right = (way: Sized): boolean => (way.name !== 'free' || length % WORD_BYTES === 0) && fits(place + way.bytesOf(length));
    if (shape.tried < VOTES) vote(shape, SIZED.filter(right));
    return shape.sized !== undefined && right(shape.sized) ? place + shape.sized.bytesOf(length) : undefined;
  }

  #nextObject(place: number): number {
    let at = place;
    while (at < PAGE_BYTES && this.#shapeAt(at) === undefined) at += WORD_BYTES;
    return at;
  }

  #referencesIn(from: number, to: number): number {
    let count = 0;
    for (let at = from; at < to; at += WORD_BYTES) if (this.#pointer(at) !== undefined) count += 1;
    return count;
  }

  /** undefined, null, true …: as values of properties they are told like any other. */
  #shared(at: number): boolean {
    const high = this.#word(at + 4), low = this.#word(at);
    return (low & 3) === 1 && high > 0 && high < 0x8000 && !this.#writable.has(pageOf(high, low));
  }

  /** A pointer to an object ends in binary 01; addresses have 47 bits, and none lies in the first 4 GiB but the program's own. */
  #pointer(at: number): number | undefined {
    const high = this.#word(at + 4), low = this.#word(at);
    if ((low & 3) !== 1 || high === 0 || high >= 0x8000) return undefined;
    return this.#writable.has(pageOf(high, low)) ? high * 2 ** 32 + low : undefined;
  }

  #word(at: number): number { return this.#words[at >>> 2] as number; }

  #shapeAt(place: number): Shape | undefined {
    const low = this.#word(place), high = this.#word(place + 4);
    if ((low & 3) !== 1 || high === 0 || high >= 0x8000) return undefined;
    let near = this.#shapes.get(high);
    if (near === undefined) this.#shapes.set(high, near = new Map());
    const known = near.get(low | 0);
    if (known !== undefined || near.has(low | 0)) return known;
    const shape = this.#readShape(high * 2 ** 32 + low - 1);
    near.set(low | 0, shape);
    return shape;
  }

  #readShape(map: number): Shape | undefined {
    if (!this.#peek(this.#few, 16, map)) return undefined;
    const meta = this.#few.readBigUInt64LE(0), words = this.#few.readUInt8(8), used = this.#few.readUInt8(10), type = this.#few.readUInt16LE(12);
    if ((meta & 3n) !== 1n || meta >> 47n !== 0n || !this.#peek(this.#few, 16, Number(meta) - 1) || this.#few.readBigUInt64LE(0) !== meta) return undefined;
    return { map: map + 1, type, bytes: words * WORD_BYTES, usedBytes: (used * WORD_BYTES >= PROPERTIES_AT ? used : words) * WORD_BYTES, sized: undefined, tried: 0, looks: 0, votes: new Map() };
  }
}

const noCounts = (): Counts => ({ objects: 0, receivers: 0, references: 0, strings: 0, internalized: 0, characters: 0, bytes: 0, lostBytes: 0, longest: 0, inArrays: new Map(), texts: [] });
function add(to: Map<number, number>, key: number, count: number): void { to.set(key, (to.get(key) ?? 0) + count); }
/** Of an address of 47 bits in two halves. */
const pageOf = (high: number, low: number): number => (high << 14) | (low >>> 18);
const up = (bytes: number): number => Math.ceil(bytes / WORD_BYTES) * WORD_BYTES;

/** Room between objects. */
const isFiller = ({ bytes, sized }: Shape): boolean => bytes === WORD_BYTES || sized?.name === 'free';

/** The way that led to an object's beginning most often; of equals the first. */
function vote(shape: Shape, ways: readonly Sized[]): void {
  shape.tried += 1;
  for (const way of ways) shape.votes.set(way, (shape.votes.get(way) ?? 0) + 1);
  shape.sized = SIZED.reduce<Sized | undefined>((best, way) => ((shape.votes.get(way) ?? 0) > (best === undefined ? 0 : shape.votes.get(best) ?? 0) ? way : best), undefined);
}
