// Owns the layout of the kernel's memory, in AssemblyScript; layout.ts says the same to JavaScript: change both or none.

/** Rows of a batch. Not a power of two: columns that lie 4,096 bytes apart share one set of the first cache, and all are written for each row (it took 40 % more). */
export const CAPACITY: i32 = 1000;
/** A longer line is malformed. */
export const MAX_LINE: usize = 2 * 1024 * 1024;
export const PLACES_KEPT: i32 = 20;

/** Counts since they were last set to 0, and where the last directive lies. */
export const ROWS: usize = 4096;
export const LINES: usize = ROWS + 4;
export const COMMENTS: usize = ROWS + 8;
export const MALFORMED: usize = ROWS + 12;
export const DIRECTIVE_AT: usize = ROWS + 16;
export const DIRECTIVE_END: usize = ROWS + 20;
/** Ms of the day that `#Date:` said, -1 without. */
export const HEAD_DAY: usize = ROWS + 24;
/** Column of each role in the order of ROLES, -1 where the log has none. */
export const ROLES: usize = ROWS + 64;
export const PLACES: usize = ROWS + 256;

/** The columns: first those of 8 bytes, then those of 4, then the texts as from, to, hash. */
export const COLUMNS: usize = 8192;
export const OFFSET: usize = COLUMNS, AT: usize = OFFSET + 8 * CAPACITY, WIN32: usize = AT + 8 * CAPACITY, TAKEN: usize = WIN32 + 8 * CAPACITY;
export const SENT: usize = TAKEN + 8 * CAPACITY, RECEIVED: usize = SENT + 8 * CAPACITY;
export const STATUS: usize = RECEIVED + 8 * CAPACITY, SUB: usize = STATUS + 4 * CAPACITY;
/** Each text takes three columns. */
export const TEXTS: usize = SUB + 4 * CAPACITY;
export const TEXT_SIZE: usize = 12 * CAPACITY;

/** Everything after the nine texts is the loop's own. */
export const BASE: usize = TEXTS + 9 * TEXT_SIZE;
/** The bytes to read: an unfinished line before CHUNK, the newly read ones from there. */
export const CHUNK: usize = 336 * 1024 + MAX_LINE;
/** Bytes read at once, and blocks that are loaded beyond their end; then come the tables of lookup.ts. */
export const MAX_CHUNK: usize = 256 * 1024 + 64 * 1024;
export const TABLES: usize = 6;
/** The rows asked for, the numbers found, and keys that are being made: before the room for an unfinished line. */
export const ROWS_ASKED: usize = 320 * 1024;
export const FOUND: usize = ROWS_ASKED + 4 * CAPACITY;
export const KEYS: usize = FOUND + 4 * CAPACITY;
export const KEY_ROOM: usize = 488;

@inline
export function bump(counter: usize): void { store<i32>(counter, load<i32>(counter) + 1); }
