// Owns where things lie in the kernel's memory, as assembly/memory.ts says it to the compiler: change both or none (no row comes out right when they differ).

export const KERNEL_ROWS = 1_000;
/** The longest line that is read. */
export const MAX_LINE_BYTES = 2 * 1024 * 1024;
export const MAX_PLACES = 20;
/** Bytes read at once: they and the columns stay in the processor's second cache. */
export const CHUNK_BYTES = 256 * 1024;
/** Behind the chunk: blocks are loaded whole. */
const SLACK_BYTES = 64 * 1024;

export const COUNTS_AT = 4_096;
export const HEAD_DAY_AT = COUNTS_AT + 24;
export const ROLES_AT = COUNTS_AT + 64;
export const PLACES_AT = COUNTS_AT + 256;
const COLUMNS_AT = 8_192;
const BIG = 8 * KERNEL_ROWS, SMALL = 4 * KERNEL_ROWS;
export const OFFSET_AT = COLUMNS_AT;
export const AT_AT = OFFSET_AT + BIG;
export const WIN32_AT = AT_AT + BIG;
export const TAKEN_AT = WIN32_AT + BIG;
export const SENT_AT = TAKEN_AT + BIG;
export const RECEIVED_AT = SENT_AT + BIG;
export const STATUS_AT = RECEIVED_AT + BIG;
export const SUB_AT = STATUS_AT + SMALL;
export const TEXTS_AT = SUB_AT + SMALL;
export const TEXT_BYTES = 3 * SMALL;
/** The rows that take part in what is counted. */
export const ASKED_AT = 320 * 1024;
/** The route that is asked for, where the kernel folded it: its size and its hash, then its text. */
export const ROUTE_AT = 335 * 1024, ROUTE_TEXT_AT = ROUTE_AT + 8;
/** What was read begins here; the unfinished line from before ends here. */
export const CHUNK_AT = 336 * 1024 + MAX_LINE_BYTES;
/** Slots and texts of the tables of assembly/lookup.ts. */
const TABLES_BYTES = (32_768 + 131_072 + 8_192 + 4_096 + 16_384 + 32_768) * 16 + (2 + 2 + 1 + 0.25 + 1 + 2) * 2 ** 20 + 64;

/** What a batch adds up to: numbers of 32 bits, then of 64. */
export const SUMMARY_AT = CHUNK_AT + CHUNK_BYTES + SLACK_BYTES + TABLES_BYTES;
/** Of each row that takes part: its bucket, and ids in the order of ROW_IDS. */
export const BUCKETS_AT = SUMMARY_AT + 128;
export const ROW_IDS = ['statuses', 'slots', 'routes', 'hosts', 'clients', 'agents', 'referrers'] as const;
/** Ids of each kind, in the order of their counters. */
export const MAX_IDS = { statuses: 1_536, slots: 4_096, routes: 9_216, hosts: 3_072, clients: 33_792, agents: 1_536, referrers: 9_216, sources: 64 } as const;
export const LEVELS_AT = BUCKETS_AT + SMALL * (1 + ROW_IDS.length);
export const SAMPLE_SIZES_AT = LEVELS_AT + MAX_IDS.slots;
/** Between two chunks, in their room: the ids whose quantiles are asked for, and what was found: three buckets, and how many times there are. */
export const QUANTILES_ASKED_AT = CHUNK_AT, QUANTILES_FOUND_AT = CHUNK_AT + 64 * 1024;
/** Words of an id's counters: with a histogram's pages behind them, or without. */
export const WIDE = 32;
const NARROW = 4;
export type SummedKind = keyof typeof MAX_IDS;
/** Counters: where those of each kind lie, for how many ids (with one more where rows are that are not told apart), and words of each. */
export const SUMS = placed(Math.ceil((SAMPLE_SIZES_AT + MAX_IDS.slots) / 128) * 128, [['statuses', 0, WIDE], ['slots', 0, WIDE], ['routes', 1, WIDE], ['hosts', 1, WIDE], ['agents', 1, WIDE], ['sources', 0, WIDE], ['clients', 1, NARROW], ['referrers', 1, NARROW]]);
/** Where the pages are in an id's counters, in bytes. */
export const PAGES_IN_SUMS = 32;
const MEMOS_AT = SUMS.reduce((end, { at, ids, width }) => Math.max(end, at + ids * width * 4), 0);
export const MAX_PAGES = 65_535, TURN_SLOTS = 65_536;
export const PLACES_OF_PAGES_AT = MEMOS_AT + 4_096 * 24 + 4_096 * 16;
export const TURNS_AT = PLACES_OF_PAGES_AT + 4 * (MAX_PAGES + 1);
export const CELLS_AT = Math.ceil((TURNS_AT + 8 * TURN_SLOTS) / 128) * 128;
export const SAMPLES_AT = CELLS_AT + 128 * (MAX_PAGES + 1);
/** Words of a step's sampled rows: of one more than are kept. */
export const SLOT_SAMPLES = (64 + 1) * 7;
/** Only what is used of it becomes real. */
export const PAGES = Math.ceil((SAMPLES_AT + 4 * SLOT_SAMPLES * MAX_IDS.slots) / 65_536);

/** Texts in the order of their columns; `upstream` is never filled by W3C. */
export const KERNEL_TEXTS = ['method', 'path', 'query', 'client', 'agent', 'host', 'site', 'referrer', 'upstream'] as const;
/** Roles in the order the kernel knows them: numbers, then texts. */
export const KERNEL_ROLES = ['date', 'time', 'status', 'sub', 'win32', 'sent', 'received', 'taken', 'method', 'path', 'query', 'client', 'agent', 'host', 'site', 'referrer'] as const;

export interface SumsAt { readonly kind: SummedKind; readonly at: number; readonly ids: number; readonly width: number }
function placed(begin: number, kinds: readonly (readonly [kind: SummedKind, others: number, width: number])[]): readonly SumsAt[] {
  let at = begin;
  return kinds.map(([kind, others, width]) => {
    const one = { kind, at, ids: MAX_IDS[kind] + others, width };
    at += one.ids * width * 4;
    return one;
  });
}
