// Owns the walk over the objects of a page of V8's heap: where each begins and ends, how many there are, and how often they point to each other.
import type { HeapDensity } from '../platform.ts';

export const PAGE_BYTES = 256 * 1024;
const WORD_BYTES = 8;
/** A page's own header ends within it. */
const MAX_HEADER_BYTES = 16 * 1024;
/** A page is counted when so much of it was walked without losing the way. */
const UNDERSTOOD_SHARE = 0.8;
/** InstanceType: all strings come before it; their encoding and what they are made of stand in its lowest bits. */
const FIRST_NONSTRING_TYPE = 0x80;
const SHAPE_MASK = 0x07, SEQUENTIAL = 0, ONE_BYTE = 0x08, NOT_INTERNALIZED = 0x20;
/** v8::internal::heap_snapshot_string_limit */
const KEPT_CHARACTERS = 1_024;
/** Objects of a map that are tried before the way to their size is settled. */
const VOTES = 32;

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
interface Shape { readonly type: number; readonly bytes: number; sized: Sized | undefined; tried: number; readonly votes: Map<Sized, number> }

interface Counts { objects: number; references: number; strings: number; internalized: number; characters: number; bytes: number; lostBytes: number }

/**
 * Nothing is believed of V8 but: an object begins with a pointer to its map, a map's map is a map of its own kind whose map is itself,
 * a map holds the size of its objects in words (0: they differ) and their type, and where sizes differ the second word tells them, in one of three ways.
 * Where a walk ends at no object's beginning it was lost, and looks for the next one.
 */
export class PageWalk {
  readonly #peek: Peek;
  readonly #shapes = new Map<number, Shape | undefined>();
  readonly #page = Buffer.alloc(PAGE_BYTES);
  readonly #writable: ReadonlySet<number>;
  readonly #few = Buffer.alloc(16);
  #sum: Counts = noCounts();
  #now: Counts = noCounts();
  #largeReferences = 0;
  #longestArray = 0;

  /** @param places where pages may begin. What lies elsewhere (undefined, empty arrays, the maps of strings) is shared by all heaps: a snapshot has no edges to it. */
  constructor(peek: Peek, places: readonly number[]) {
    this.#peek = peek;
    this.#writable = new Set(places.map(pageOf));
  }

  /** Is the page that begins there one large object; then it is looked at here and there. */
  large(at: number): boolean {
    if (!this.#peek(this.#page, MAX_HEADER_BYTES, at)) return false;
    const place = this.#firstObject(MAX_HEADER_BYTES - 16);
    const shape = place === undefined ? undefined : this.#shapeAt(place);
    if (place === undefined || shape === undefined || shape.bytes > 0) return false;
    if (shape.type < FIRST_NONSTRING_TYPE) return this.#page.readUInt32LE(place + 12) > PAGE_BYTES / 2;
    const length = this.#page.readUInt32LE(place + 8) === 0 ? this.#page.readUInt32LE(place + 12) : 0;
    const bytes = length * WORD_BYTES;
    if (bytes < PAGE_BYTES / 2) return false;
    let found = 0;
    for (let look = 0; look < LARGE_LOOKS; look += 1) {
      const from = at + place + 16 + Math.floor(look * (bytes - LARGE_LOOK_BYTES) / (LARGE_LOOKS - 1) / WORD_BYTES) * WORD_BYTES;
      // A string or bytes of as many bytes as words were believed: it ends before.
      if (!this.#peek(this.#page, LARGE_LOOK_BYTES, from)) return true;
      found += this.#referencesIn(0, LARGE_LOOK_BYTES);
    }
    const references = Math.round(length * found * WORD_BYTES / (LARGE_LOOKS * LARGE_LOOK_BYTES));
    this.#longestArray = Math.max(this.#longestArray, references);
    this.#largeReferences += references;
    return true;
  }

  /** Walks the page that begins there; false when it was not understood, and then it is not counted. */
  page(at: number): boolean {
    if (!this.#peek(this.#page, PAGE_BYTES, at)) return false;
    let place = this.#firstObject(MAX_HEADER_BYTES);
    if (place === undefined) return false;
    this.#now = noCounts();
    while (place < PAGE_BYTES) place = this.#object(place);
    const { bytes, lostBytes, ...rest } = this.#now;
    if (bytes === 0 || lostBytes > (1 - UNDERSTOOD_SHARE) * (bytes + lostBytes)) return false;
    const sum = this.#sum;
    this.#sum = { objects: sum.objects + rest.objects, references: sum.references + rest.references, strings: sum.strings + rest.strings, internalized: sum.internalized + rest.internalized, characters: sum.characters + rest.characters, bytes: sum.bytes + bytes, lostBytes: sum.lostBytes + lostBytes };
    return true;
  }

  /** undefined when no page was understood. */
  density(): HeapDensity | undefined {
    const { objects, references, strings, internalized, characters, bytes, lostBytes } = this.#sum;
    if (bytes === 0) return undefined;
    return { objects: objects / bytes, references: references / bytes, strings: strings / bytes, internalized: internalized / bytes, characters: characters / bytes, largeReferences: this.#largeReferences, longestArray: this.#longestArray, walkedBytes: bytes, lostBytes };
  }

  #firstObject(before: number): number | undefined {
    for (let place = WORD_BYTES * 4; place < before; place += WORD_BYTES) if (this.#shapeAt(place) !== undefined) return place;
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
    if (shape.type < FIRST_NONSTRING_TYPE && (shape.type & SHAPE_MASK) === SEQUENTIAL) {
      this.#now.strings += 1;
      if ((shape.type & NOT_INTERNALIZED) === 0) this.#now.internalized += 1;
      this.#now.characters += Math.min(KEPT_CHARACTERS, this.#page.readUInt32LE(place + 12));
    } else if (shape.sized?.name !== 'bytes') this.#now.references += this.#referencesIn(place + WORD_BYTES, end);
    return end;
  }

  #endOf(place: number, shape: Shape): number | undefined {
    const fits = (end: number): boolean => end > place && end <= PAGE_BYTES && (end === PAGE_BYTES || this.#shapeAt(end) !== undefined);
    if (shape.bytes > 0) return fits(place + shape.bytes) ? place + shape.bytes : undefined;
    if (shape.type < FIRST_NONSTRING_TYPE) {
      const length = this.#page.readUInt32LE(place + 12);
      const end = place + up(16 + length * ((shape.type & ONE_BYTE) === 0 ? 2 : 1));
      return fits(end) ? end : undefined;
    }
    // A small integer stands in the upper half of its word.
    const length = this.#page.readUInt32LE(place + 8) === 0 ? this.#page.readUInt32LE(place + 12) : NaN;
    const ways = SIZED.filter((way) => (way.name !== 'free' || length % WORD_BYTES === 0) && fits(place + way.bytesOf(length)));
    if (shape.tried < VOTES) vote(shape, ways);
    const way = shape.sized !== undefined && ways.includes(shape.sized) ? shape.sized : undefined;
    return way === undefined ? undefined : place + way.bytesOf(length);
  }

  #nextObject(place: number): number {
    let at = place;
    while (at < PAGE_BYTES && this.#shapeAt(at) === undefined) at += WORD_BYTES;
    return at;
  }

  #referencesIn(from: number, to: number): number {
    let count = 0;
    for (let at = from; at < to; at += WORD_BYTES) {
      // A pointer to an object ends in binary 01; addresses have 47 bits, and none lies in the first 4 GiB but the program's own.
      const high = this.#page.readUInt32LE(at + 4);
      const low = this.#page.readUInt32LE(at);
      if ((low & 3) === 1 && high > 0 && high < 0x8000 && this.#writable.has(pageOf(high * 2 ** 32 + low))) count += 1;
    }
    return count;
  }

  #shapeAt(place: number): Shape | undefined {
    const low = this.#page.readUInt32LE(place), high = this.#page.readUInt32LE(place + 4);
    if ((low & 3) !== 1 || high === 0 || high >= 0x8000) return undefined;
    const map = high * 2 ** 32 + low;
    if (this.#shapes.has(map)) return this.#shapes.get(map);
    const shape = this.#readShape(map - 1);
    this.#shapes.set(map, shape);
    return shape;
  }

  #readShape(map: number): Shape | undefined {
    if (!this.#peek(this.#few, 16, map)) return undefined;
    const meta = this.#few.readBigUInt64LE(0), words = this.#few.readUInt8(8), type = this.#few.readUInt16LE(12);
    if ((meta & 3n) !== 1n || meta >> 47n !== 0n || !this.#peek(this.#few, 16, Number(meta) - 1) || this.#few.readBigUInt64LE(0) !== meta) return undefined;
    return { type, bytes: words * WORD_BYTES, sized: undefined, tried: 0, votes: new Map() };
  }
}

const noCounts = (): Counts => ({ objects: 0, references: 0, strings: 0, internalized: 0, characters: 0, bytes: 0, lostBytes: 0 });
const pageOf = (address: number): number => Math.floor(address / PAGE_BYTES);
const up = (bytes: number): number => Math.ceil(bytes / WORD_BYTES) * WORD_BYTES;

/** Room between objects. */
const isFiller = ({ bytes, sized }: Shape): boolean => bytes === WORD_BYTES || sized?.name === 'free';

/** The way that led to an object's beginning most often; of equals the first. */
function vote(shape: Shape, ways: readonly Sized[]): void {
  shape.tried += 1;
  for (const way of ways) shape.votes.set(way, (shape.votes.get(way) ?? 0) + 1);
  shape.sized = SIZED.reduce<Sized | undefined>((best, way) => ((shape.votes.get(way) ?? 0) > (best === undefined ? 0 : shape.votes.get(best) ?? 0) ? way : best), undefined);
}
