// Owns the instances of the compiled W3C loop: their memory as columns, and their lending to readers.
import type { Columns, TextColumn, TextRole } from '../columns.ts';
import type { Fields } from '../fields.ts';
import { W3C_WASM } from './w3c-wasm.js';
import * as layout from './layout.ts';
import { Tally } from './tally.ts';

/** What run() came back for. */
export const DONE = 0, FULL = 1, DIRECTIVE = 2;

export interface Compiled {
  readonly memory: { readonly buffer: ArrayBuffer };
  prepare(): void;
  forget(table: number): void;
  forgetSlots(): void;
  forgetStatuses(): void;
  choose(rows: number, from: number, to: number, everything: number): number;
  count(rows: number, source: number, sourceTimes: number): void;
  prepareQuantiles(): void;
  quantiles(sums: number, count: number): void;
  setColumns(count: number): void;
  begin(from: number, to: number, offset: number): void;
  run(): number;
  rest(): number;
}

/** Indexes of what the loop counts. */
export const ROWS = 0, LINES = 1, COMMENTS = 2, MALFORMED = 3, DIRECTIVE_AT = 4, DIRECTIVE_END = 5;

/** One instance: memory of which only what is used becomes real, in which one chunk at a time is read. */
export class Kernel {
  readonly loop: Compiled;
  readonly bytes: Uint8Array;
  readonly columns: Columns;
  readonly counts: Int32Array;
  readonly places: Float64Array;
  readonly #roles: Int32Array;
  readonly #headDay: Float64Array;
  #fields: Fields | undefined;

  constructor() {
    const env = {
      abort: () => { throw new Error('the W3C kernel gave up'); },
      // Called while rows are counted: tally is there by then.
      judge: (kind: number, row: number): number => tally.judge(kind, row),
      pick: (place: number): void => { tally.pick(place); },
    };
    this.loop = new wasm.Instance(compiled(), { env }).exports as unknown as Compiled;
    const { buffer } = this.loop.memory;
    this.bytes = new Uint8Array(buffer);
    this.counts = new Int32Array(buffer, layout.COUNTS_AT, 6);
    this.places = new Float64Array(buffer, layout.PLACES_AT, layout.MAX_PLACES);
    this.#roles = new Int32Array(buffer, layout.ROLES_AT, layout.KERNEL_ROLES.length);
    this.#headDay = new Float64Array(buffer, layout.HEAD_DAY_AT, 1);
    this.columns = columnsOf(buffer, this.bytes);
    this.loop.prepare();
    const tally = new Tally(this.loop);
    tallies.set(buffer, tally);
  }

  /** Which columns the next lines have; the day is for rows that have none of their own. */
  follow(fields: Fields, headDayMs: number): void {
    this.#headDay[0] = headDayMs;
    if (this.#fields === fields) return;
    this.#fields = fields;
    layout.KERNEL_ROLES.forEach((role, i) => { this.#roles[i] = fields.at[role]; });
    this.loop.setColumns(fields.usable ? fields.columns : -1);
  }
}

function columnsOf(buffer: ArrayBuffer, bytes: Uint8Array): Columns {
  const numbers = (at: number): Float64Array => new Float64Array(buffer, at, layout.KERNEL_ROWS);
  const words = (at: number): Int32Array => new Int32Array(buffer, at, layout.KERNEL_ROWS);
  const texts = Object.fromEntries(layout.KERNEL_TEXTS.map((role, i): [TextRole, TextColumn] => {
    const at = layout.TEXTS_AT + i * layout.TEXT_BYTES;
    return [role, { from: words(at), to: words(at + 4 * layout.KERNEL_ROWS), hash: words(at + 8 * layout.KERNEL_ROWS) }];
  })) as Record<TextRole, TextColumn>;
  return {
    rows: 0, bytes, offset: numbers(layout.OFFSET_AT), at: numbers(layout.AT_AT), status: words(layout.STATUS_AT), sub: words(layout.SUB_AT), win32: numbers(layout.WIN32_AT),
    taken: numbers(layout.TAKEN_AT), sent: numbers(layout.SENT_AT), received: numbers(layout.RECEIVED_AT), text: texts,
  };
}

const tallies = new WeakMap<ArrayBufferLike, Tally>();

/** What counts these columns where they lie, when the kernel wrote them. */
export function tallyOf(columns: Columns): Tally | undefined {
  return tallies.get(columns.bytes.buffer);
}

/** The part of WebAssembly that is used: its types belong to the browser's library, which the server side does not have. */
interface Wasm {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: object };
}
const wasm = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;

let module: object | undefined;
function compiled(): object {
  module ??= new wasm.Module(Buffer.from(W3C_WASM, 'base64'));
  return module;
}

/** Kept for the next borrower; a sink that itself reads a log makes it two. */
const idle: Kernel[] = [];
const MAX_IDLE = 2;

/** Lends an instance for one piece of synchronous work: nothing of it may be kept. */
export function withKernel<T>(work: (kernel: Kernel) => T): T {
  const kernel = idle.pop() ?? new Kernel();
  try {
    return work(kernel);
  } finally {
    if (idle.length < MAX_IDLE) idle.push(kernel);
  }
}

/** Lets go of the instances that wait for a borrower, and of all that is counted there. */
export function dropKernels(): void { idle.length = 0; }
