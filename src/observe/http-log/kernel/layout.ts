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
/** The rows asked for, and the numbers found. */
export const ASKED_AT = 320 * 1024;
export const FOUND_AT = ASKED_AT + SMALL;
/** What was read begins here; the unfinished line from before ends here. */
export const CHUNK_AT = 336 * 1024 + MAX_LINE_BYTES;
/** Slots and texts of the tables of assembly/lookup.ts. */
const TABLES_BYTES = (32_768 + 131_072 + 8_192 + 4_096 + 16_384 + 32_768) * 16 + (2 + 2 + 1 + 0.25 + 1 + 2) * 2 ** 20 + 64;
/** Only what is used of it becomes real. */
export const PAGES = Math.ceil((CHUNK_AT + CHUNK_BYTES + SLACK_BYTES + TABLES_BYTES) / 65_536);

/** Texts in the order of their columns; `upstream` is never filled by W3C. */
export const KERNEL_TEXTS = ['method', 'path', 'query', 'client', 'agent', 'host', 'site', 'referrer', 'upstream'] as const;
/** Roles in the order the kernel knows them: numbers, then texts. */
export const KERNEL_ROLES = ['date', 'time', 'status', 'sub', 'win32', 'sent', 'received', 'taken', 'method', 'path', 'query', 'client', 'agent', 'host', 'site', 'referrer'] as const;
