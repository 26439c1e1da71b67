// Owns the tables from text to number that lie in the kernel's memory: one call for a batch's rows, and JavaScript is asked for what is new.
import type { TextRole } from '../columns.ts';
import type { Compiled } from './kernel.ts';
import { ASKED_AT, FOUND_AT, KERNEL_ROWS, KERNEL_TEXTS } from './layout.ts';

/** Tables in the order of assembly/lookup.ts. */
const TABLES = ['routes', 'clients', 'agents', 'hosts', 'referrers', 'odd-paths'] as const;
export type LookupTable = (typeof TABLES)[number];
/** Of a row without the text. */
const NO_TEXT = -2;

/** Says the number of a row's text; a negative one is not remembered. */
export type Judge = (row: number) => number;

export class Lookups {
  readonly #loop: Compiled;
  readonly #asked: Int32Array;
  readonly #found: Int32Array;
  /** Whose numbers a table has; they are void when that one gave its texts other numbers. */
  readonly #owners: { owner: object | undefined; version: number }[] = TABLES.map(() => ({ owner: undefined, version: 0 }));

  constructor(loop: Compiled) {
    this.#loop = loop;
    this.#asked = new Int32Array(loop.memory.buffer, ASKED_AT, KERNEL_ROWS);
    this.#found = new Int32Array(loop.memory.buffer, FOUND_AT, KERNEL_ROWS);
  }

  /** The rows that the next calls are about. */
  ask(rows: Int32Array, count: number): void {
    this.#asked.set(count === rows.length ? rows : rows.subarray(0, count));
  }

  /** Numbers of one text of each row asked for. */
  find(table: LookupTable, role: TextRole, count: number, into: Int32Array, { owner, version, judge }: { owner: object; version: number; judge: Judge }): void {
    const number = this.#take(table, owner, version), text = KERNEL_TEXTS.indexOf(role);
    const unknown = this.#loop.find(number, text, count);
    this.#answer(count, into, unknown, { judge, again: (row) => this.#loop.again(number, text, row), learn: (row, id) => { this.#loop.learn(number, text, row, id); } });
  }

  /** Numbers of method and route of each row asked for. */
  findRoutes(count: number, into: Int32Array, { owner, version, judge }: { owner: object; version: number; judge: Judge }): void {
    this.#take('routes', owner, version);
    this.#take('odd-paths', owner, version);
    const open = this.#loop.findRoutes(count);
    this.#answer(count, into, open, { judge, again: (row) => this.#loop.routeAgain(row), learn: (row, id) => { this.#loop.learnRoute(row, id); } });
  }

  #take(table: LookupTable, owner: object, version: number): number {
    const number = TABLES.indexOf(table);
    const now = this.#owners[number] as { owner: object | undefined; version: number };
    if (now.owner !== owner || now.version !== version) {
      this.#loop.forget(number);
      now.owner = owner;
      now.version = version;
    }
    return number;
  }

  /** Copies what was found, and asks for what is unknown: once for each text, since what one row teaches the next ones know. */
  #answer(count: number, into: Int32Array, open: number, { judge, again, learn }: { judge: Judge; again(row: number): number; learn(row: number, id: number): void }): void {
    const found = this.#found;
    into.set(count === found.length ? found : found.subarray(0, count));
    for (let i = 0, left = open; left > 0 && i < count; i += 1) {
      if ((found[i] as number) >= NO_TEXT) continue;
      left -= 1;
      const row = this.#asked[i] as number;
      let id = again(row);
      if (id < 0) {
        id = judge(row);
        if (id >= 0) learn(row, id);
      }
      into[i] = id;
    }
  }
}
