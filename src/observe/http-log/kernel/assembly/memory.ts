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
/** The rows that take part, and keys that are being made: before the room for an unfinished line. */
export const ROWS_ASKED: usize = 320 * 1024;
export const KEYS: usize = ROWS_ASKED + 4 * CAPACITY;
export const KEY_ROOM: usize = 488;

/** Slots and texts of the tables. */
export const TABLES_AT: usize = CHUNK + MAX_CHUNK;
const TABLES_SIZE: usize = (32768 + 131072 + 8192 + 4096 + 16384 + 32768) * 16 + (33 << 18) + 64;

/** What a batch adds up to, and what the counting must know. */
export const OUTSIDE: usize = TABLES_AT + TABLES_SIZE, LEFT_OUT: usize = OUTSIDE + 4, FAILURES: usize = OUTSIDE + 8, PAGES_USED: usize = OUTSIDE + 12, TURNS_USED: usize = OUTSIDE + 16;
export const FIRST_AT: usize = OUTSIDE + 24, LAST_AT: usize = OUTSIDE + 32, LONGEST: usize = OUTSIDE + 40, SLOW_FROM: usize = OUTSIDE + 48, STEP_MS: usize = OUTSIDE + 56;
/** Of each row that takes part: its bucket of time taken, and the ids of what it names. */
export const BUCKETS: usize = OUTSIDE + 128;
const IDS: usize = 4 * CAPACITY;
export const STATUS_IDS: usize = BUCKETS + IDS, SLOT_IDS: usize = STATUS_IDS + IDS, ROUTE_IDS: usize = SLOT_IDS + IDS;
export const HOST_IDS: usize = ROUTE_IDS + IDS, CLIENT_IDS: usize = HOST_IDS + IDS, AGENT_IDS: usize = CLIENT_IDS + IDS, REFERRER_IDS: usize = AGENT_IDS + IDS;

/** Ids of each kind: what is kept at once, and as many as one batch can bring. One more is for rows that are not told apart. */
export const MAX_STATUSES: usize = 1536, MAX_SLOTS: usize = 4096, MAX_ROUTES: usize = 9216, MAX_HOSTS: usize = 3072, MAX_CLIENTS: usize = 33792, MAX_AGENTS: usize = 1536, MAX_REFERRERS: usize = 9216, MAX_SOURCES: usize = 64;
/** Sampled rows of a step of time have at least so many leading zeros. */
export const LEVELS: usize = REFERRER_IDS + IDS;
/**
 * Counters. Kinds with times have 128 bytes for each id, so that a row touches one line of the cache: rows, failures, client errors, rows with a size; two more numbers; longest; then the pages of their histogram.
 * Statuses and steps: rows, failures, first, last, longest. Texts without times: rows, failures, longest.
 */
export const WIDE: usize = 128, NARROW: usize = 16;
/** Where the pages begin: one for the whole numbers below 128, then one for each power of two from there on. */
export const PAGES_AT: usize = 32;
/** How many of its rows are sampled. */
export const SAMPLE_SIZES: usize = LEVELS + MAX_SLOTS;
export const STATUS_SUMS: usize = (SAMPLE_SIZES + MAX_SLOTS + 127) & ~127;
export const SLOT_SUMS: usize = STATUS_SUMS + MAX_STATUSES * WIDE;
export const ROUTE_SUMS: usize = SLOT_SUMS + MAX_SLOTS * WIDE;
export const HOST_SUMS: usize = ROUTE_SUMS + (MAX_ROUTES + 1) * WIDE;
export const AGENT_SUMS: usize = HOST_SUMS + (MAX_HOSTS + 1) * WIDE;
export const SOURCE_SUMS: usize = AGENT_SUMS + (MAX_AGENTS + 1) * WIDE;
export const CLIENT_SUMS: usize = SOURCE_SUMS + MAX_SOURCES * WIDE;
export const REFERRER_SUMS: usize = CLIENT_SUMS + (MAX_CLIENTS + 1) * NARROW;
/** Answers to the statuses and steps of rows. */
export const STATUS_MEMO: usize = REFERRER_SUMS + (MAX_REFERRERS + 1) * NARROW, STATUS_MEMO_SLOTS: usize = 4096;
export const SLOT_MEMO: usize = STATUS_MEMO + STATUS_MEMO_SLOTS * 24, SLOT_MEMO_SLOTS: usize = 4096;

/** Pages of histograms, those of all kinds together: where each page is named, how often a cell ran over, and the cells. */
export const PAGE: usize = 128, MAX_PAGES: usize = 65535;
export const PLACE_OF: usize = SLOT_MEMO + SLOT_MEMO_SLOTS * 16;
export const TURNS: usize = PLACE_OF + (MAX_PAGES + 1) * 4, TURN_SLOTS: usize = 65536;
export const CELLS: usize = (TURNS + TURN_SLOTS * 8 + 127) & ~127;
/** Sampled rows of each step of time, and one more: words of a record in the order of figures/samples.ts. */
export const MOST_SAMPLED: u32 = 64, RECORD: usize = 28, SLOT_SAMPLES: usize = (MOST_SAMPLED + 1) * RECORD;
export const SAMPLES: usize = CELLS + PAGE * (MAX_PAGES + 1);
/** Rows that are looked up together, and the slots they need. */
export const TOGETHER: usize = 16;
export const WANTED: usize = KEYS + TOGETHER * KEY_ROOM;
/** Written so that no compiler leaves out what was only read to have it in the cache. */
export const TOUCHED: usize = WANTED + 4 * TOGETHER;
/** The route that is asked for, where it was folded here: its size (0: JavaScript must fold it), its hash, its text. */
export const ROUTE_SIZE: usize = 335 * 1024, ROUTE_HASH: usize = ROUTE_SIZE + 4, ROUTE_TEXT: usize = ROUTE_SIZE + 8;

@inline
export function bump(counter: usize): void { store<i32>(counter, load<i32>(counter) + 1); }
