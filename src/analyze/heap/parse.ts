// Owns the reading of a .heapsnapshot of any size: bytes in, columns out, nothing of it ever one string.
import { CallTree, FUNCTION_FIELDS } from './allocations.ts';
import type { EdgeRows } from './edges.ts';
import { metaOf, type SnapshotMeta } from './meta.ts';
import { GraphBuilder, type HeapGraph, type Locations } from './graph.ts';
import { NumberReader, type NumbersSink } from './numbers.ts';
import { StringTable, type SnapshotBytes } from './strings.ts';
import { Words } from './words.ts';
import { unreadableHeap } from './unreadable.ts';

/** V8's header has about 1.5 KB. */
const MAX_HEADER_BYTES = 1 << 20;
const MAX_KEY_BYTES = 64;
const MAX_LOCATIONS = 1 << 28;
const MAX_FUNCTION_NUMBERS = 1 << 24;

const QUOTE = 34, BACKSLASH = 92, OPEN = 91, CLOSE = 93, BRACE = 123, UNBRACE = 125, COLON = 58;

type Mode = 'before' | 'between' | 'key' | 'colon' | 'value' | 'header' | 'numbers' | 'beside' | 'skip' | 'calls' | 'strings' | 'string' | 'after';

/** Told as soon as the header is read; `at`: no later than where it ends. */
export type EdgesBeside = (meta: SnapshotMeta, edges: EdgeRows, at: number) => void;

/** Chunks in, in order; then `done`. A file that is cut off inside its strings gives a graph with notes, before that it is refused: without names it says nothing. */
export class SnapshotParser {
  readonly #sizeBytes: number;
  readonly #strings: StringTable;
  #mode: Mode = 'before';
  #at = 0;
  #key = '';
  #gathered: number[] = [];
  #depth = 0;
  #quoted = false;
  #escaped = false;
  #meta: SnapshotMeta | undefined;
  #builder: GraphBuilder | undefined;
  #numbers: NumberReader | undefined;
  #firstByte = 0;
  #lastByte = 0;
  #strange = 0;
  readonly #seen = new Set<string>();
  readonly #locations = new Words();
  readonly #functions = new Words();
  #calls: CallTree | undefined;
  /** Where the strings begin: a stream must keep its bytes from there on. */
  stringsFrom: number | undefined;

  /** Of edges that are read beside: where they begin, and where the next part's name does. */
  edgesFrom: number | undefined;
  edgesTo: number | undefined;
  readonly #beside: EdgesBeside | undefined;

  /** `beside`: who reads the edges, in another thread. */
  constructor(sizeBytes: number, beside?: EdgesBeside) { this.#sizeBytes = sizeBytes; this.#beside = beside; this.#strings = new StringTable(beside !== undefined); }

  /** Whether nothing was odd so far, the edges that were read beside included. */
  get whole(): boolean { return this.#strange === 0 && this.#builder?.whole === true; }

  get at(): number { return this.#at; }

  /** So many rows of edges were read beside, none of them odd. */
  edgesAre(rows: number): void { if (this.#builder !== undefined) this.#builder.edges.count = rows; }

  /** @throws HEAP_UNREADABLE */
  push(chunk: Uint8Array): void {
    const to = chunk.length;
    let i = 0;
    while (i < to) {
      if (this.#mode === 'numbers') i = this.#readNumbers(chunk, i, to);
      else if (this.#mode === 'beside') i = this.#passEdges(chunk, i, to);
      else if (this.#mode === 'strings' || this.#mode === 'string') i = this.#readStrings(chunk, i, to);
      else { this.#step((chunk[i] as number), this.#at + i); i++; }
    }
    this.#at += to;
  }

  /** @throws HEAP_UNREADABLE */
  done(bytes: SnapshotBytes): HeapGraph {
    if (this.#builder === undefined) throw unreadableHeap(this.#at === 0 ? 'it is empty' : 'it has no nodes: it does not begin as a heap snapshot does');
    if (!this.#seen.has('edges') || this.#strings.length === 0) throw unreadableHeap(`it ends after ${this.#at} bytes inside its ${this.#seen.has('edges') && this.#mode !== 'numbers' ? 'names' : this.#key === '' ? 'beginning' : this.#key}: it was not written to its end`);
    this.#strings.open(bytes);
    const notes = this.#mode === 'after' ? [] : ['it ends inside its strings: it was not written to its end, and some names are missing'];
    if ((this.#calls?.lost ?? 0) > 0) notes.push(`${this.#calls?.lost} calls that made objects were left out`);
    if (this.#strange > 0) notes.push(`${this.#strange} bytes among its numbers are none`);
    return this.#builder.done(this.#strings, this.#located(), notes, this.#calls === undefined ? undefined : { calls: this.#calls, functions: this.#functions.values.subarray(0, this.#functions.length) });
  }

  #readNumbers(chunk: Uint8Array, from: number, to: number): number {
    const reader = this.#numbers as NumberReader;
    const end = reader.read(chunk, from, to);
    if (end < 0) return to;
    this.#strange += reader.strange;
    this.#seen.add(this.#key);
    this.#mode = 'between';
    return end;
  }

  /** No number has a quote: the next one begins the name of what comes behind. */
  #passEdges(chunk: Uint8Array, from: number, to: number): number {
    const quote = chunk.indexOf(QUOTE, from);
    if (quote < 0) return to;
    this.edgesTo = this.#at + quote;
    this.#seen.add(this.#key);
    this.#mode = 'between';
    return quote;
  }

  #readStrings(chunk: Uint8Array, from: number, to: number): number {
    const base = this.#at;
    const strings = this.#strings;
    let inside = this.#mode === 'string';
    let escaped = this.#escaped;
    let last = this.#lastByte;
    for (let i = from; i < to; i++) {
      const byte = (chunk[i] as number);
      if (inside) {
        if (escaped) { escaped = false; last = byte; } else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) {
          inside = false;
          if (last === 41 && this.#firstByte >= 48 && this.#firstByte <= 57) strings.ephemerons.add(strings.length - 1);
        } else {
          if (last === 0) this.#firstByte = byte;
          last = byte;
        }
      } else if (byte === QUOTE) { inside = true; last = 0; this.#firstByte = 0; strings.add(base + i + 1); } else if (byte === CLOSE) {
        this.#seen.add('strings');
        this.#mode = 'after';
        return i + 1;
      }
    }
    this.#mode = inside ? 'string' : 'strings';
    this.#escaped = escaped;
    this.#lastByte = last;
    return to;
  }

  #step(byte: number, at: number): void {
    switch (this.#mode) {
      case 'before': if (byte === BRACE) this.#mode = 'between'; else if (byte > 32 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf) throw unreadableHeap('it does not begin as JSON does'); return;
      case 'between': if (byte === QUOTE) { this.#gathered = []; this.#mode = 'key'; } else if (byte === UNBRACE) this.#mode = 'after'; return;
      case 'key':
        if (byte === QUOTE) { this.#key = String.fromCharCode(...this.#gathered); this.#mode = 'colon'; } else if (this.#gathered.push(byte) > MAX_KEY_BYTES) throw unreadableHeap(`there is no part of a heap snapshot at byte ${at}`);
        return;
      case 'colon': if (byte === COLON) this.#mode = 'value'; else if (byte > 32) throw unreadableHeap(`there is no part of a heap snapshot at byte ${at}`); return;
      case 'value': if (byte > 32) this.#begin(byte, at); return;
      case 'calls': this.#calls?.read(byte); this.#nested(byte); return;
      case 'header': case 'skip': this.#nested(byte); return;
      default: return;
    }
  }

  #begin(byte: number, at: number): void {
    this.#depth = 0; this.#quoted = false; this.#escaped = false;
    if (this.#seen.has(this.#key)) throw unreadableHeap(`it has ${JSON.stringify(this.#key)} twice`);
    if (this.#key === 'snapshot') { this.#gathered = []; this.#mode = 'header'; this.#nested(byte); return; }
    if (byte === OPEN && this.#key === 'trace_tree' && this.#meta?.tracked === true) { this.#calls = new CallTree(); this.#mode = 'calls'; this.#nested(byte); return; }
    if (byte !== OPEN || !['nodes', 'edges', 'locations', 'trace_function_infos', 'strings'].includes(this.#key)) { this.#mode = 'skip'; this.#nested(byte); return; }
    if (this.#meta === undefined || this.#builder === undefined) throw unreadableHeap(`its ${this.#key} come before its header`);
    if (this.#key === 'strings') { this.#mode = 'strings'; this.stringsFrom = at + 1; return; }
    if (this.#key === 'edges' && this.#beside !== undefined) { this.#mode = 'beside'; this.edgesFrom = this.#builder.nodes === this.#meta.nodeCount ? at + 1 : undefined; return; }
    const { node, edge, location } = this.#meta;
    this.#numbers = new NumberReader({ nodes: node.fields, edges: edge.fields, locations: location.fields }[this.#key] ?? FUNCTION_FIELDS, this.#sink(this.#builder));
    this.#mode = 'numbers';
  }

  #sink(builder: GraphBuilder): NumbersSink {
    if (this.#key === 'nodes') return (numbers, count, large) => { builder.addNodes(numbers, count, large); };
    if (this.#key === 'edges') return (numbers, count) => { builder.addEdges(numbers, count); };
    const [words, most] = this.#key === 'locations' ? [this.#locations, MAX_LOCATIONS] : [this.#functions, MAX_FUNCTION_NUMBERS];
    return (numbers, count) => { for (let i = 0; i < count && words.length < most; i++) words.push((numbers[i] as number)); };
  }

  /** A value of any form: gathered when it is the header, passed over when not. */
  #nested(byte: number): void {
    if (this.#mode === 'header' && this.#gathered.push(byte) > MAX_HEADER_BYTES) throw unreadableHeap('its header does not end');
    if (this.#quoted) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#quoted = false;
      return;
    }
    if (byte === QUOTE) this.#quoted = true;
    else if (byte === OPEN || byte === BRACE) this.#depth++;
    else if (byte === CLOSE || byte === UNBRACE) {
      this.#depth--;
      if (this.#depth > 0) return;
      this.#seen.add(this.#key);
      if (this.#mode === 'header') this.#header();
      // The bracket was that of the whole: a plain value stood last.
      this.#mode = this.#depth < 0 ? 'after' : 'between';
    } else if (byte === 44 && this.#depth === 0) this.#mode = 'between';
  }

  #header(): void {
    this.#meta = metaOf(Buffer.from(this.#gathered).toString('utf8'));
    this.#gathered = [];
    this.#builder = new GraphBuilder(this.#meta, this.#sizeBytes, this.#beside !== undefined);
    this.#beside?.(this.#meta, this.#builder.edges, this.#at);
  }

  #located(): Locations {
    const { fields, object, script, line, column } = (this.#meta as SnapshotMeta).location;
    const rows = fields === 0 || object < 0 || script < 0 || line < 0 || column < 0 ? 0 : Math.floor(this.#locations.length / fields);
    const nodeFields = (this.#meta as SnapshotMeta).node.fields;
    const of = (row: number): number => (this.#locations.values[row * fields + object] as number) / nodeFields;
    const order = Uint32Array.from({ length: rows }, (_, i) => i);
    if (order.some((row) => row > 0 && of(row) < of(row - 1))) order.sort((a, b) => of(a) - of(b));
    const column4 = (place: number): Uint32Array => order.map((row) => (this.#locations.values[row * fields + place] as number));
    return { count: rows, nodes: order.map(of), scripts: column4(script), lines: column4(line), columns: column4(column) };
  }
}
