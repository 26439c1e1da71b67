// Owns the instances of the compiled W3C loop: their memory as columns, and their lending to readers.
import type { Columns, TextColumn, TextRole } from '../columns.ts';
import type { Fields } from '../fields.ts';
import { W3C_WASM } from './w3c-wasm.js';
import * as lies from './layout.ts';

/** What run() came back for. */
export const DONE = 0, FULL = 1, DIRECTIVE = 2;

interface Compiled {
  readonly memory: { readonly buffer: ArrayBuffer };
  prepare(): void;
  setColumns(count: number): void;
  begin(from: number, to: number, offset: number): void;
  run(): number;
  rest(): number;
}

/** Indexes of what the loop counts. */
export const ROWS = 0, LINES = 1, COMMENTS = 2, MALFORMED = 3, DIRECTIVE_AT = 4, DIRECTIVE_END = 5;

/** One instance: 2.6 MB of memory of which only what is used becomes real, in which one chunk at a time is read. */
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
    this.loop = new wasm.Instance(compiled(), { env: { abort: () => { throw new Error('the W3C kernel gave up'); } } }).exports as unknown as Compiled;
    const { buffer } = this.loop.memory;
    this.bytes = new Uint8Array(buffer);
    this.counts = new Int32Array(buffer, lies.COUNTS_AT, 6);
    this.places = new Float64Array(buffer, lies.PLACES_AT, lies.MAX_PLACES);
    this.#roles = new Int32Array(buffer, lies.ROLES_AT, lies.KERNEL_ROLES.length);
    this.#headDay = new Float64Array(buffer, lies.HEAD_DAY_AT, 1);
    this.columns = columnsOf(buffer, this.bytes);
    this.loop.prepare();
  }

  /** Which columns the next lines have; the day is for rows that have none of their own. */
  follow(fields: Fields, headDayMs: number): void {
    this.#headDay[0] = headDayMs;
    if (this.#fields === fields) return;
    this.#fields = fields;
    lies.KERNEL_ROLES.forEach((role, i) => { this.#roles[i] = fields.at[role]; });
    this.loop.setColumns(fields.usable ? fields.columns : -1);
  }
}

function columnsOf(buffer: ArrayBuffer, bytes: Uint8Array): Columns {
  const numbers = (at: number): Float64Array => new Float64Array(buffer, at, lies.KERNEL_ROWS);
  const words = (at: number): Int32Array => new Int32Array(buffer, at, lies.KERNEL_ROWS);
  const texts = Object.fromEntries(lies.KERNEL_TEXTS.map((role, i): [TextRole, TextColumn] => {
    const at = lies.TEXTS_AT + i * lies.TEXT_BYTES;
    return [role, { from: words(at), to: words(at + 4 * lies.KERNEL_ROWS), hash: words(at + 8 * lies.KERNEL_ROWS) }];
  })) as Record<TextRole, TextColumn>;
  return {
    rows: 0, bytes, offset: numbers(lies.OFFSET_AT), at: numbers(lies.AT_AT), status: words(lies.STATUS_AT), sub: words(lies.SUB_AT), win32: numbers(lies.WIN32_AT),
    taken: numbers(lies.TAKEN_AT), sent: numbers(lies.SENT_AT), received: numbers(lies.RECEIVED_AT), text: texts,
  };
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
