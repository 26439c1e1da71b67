// Owns the form of a block index on disk: one line of JSON that says what it is, then its columns as they lie in memory.
import { HttpIndexHeader } from '../../../shared/http-index.ts';
import type { IndexedFile } from '../../../shared/http-index.ts';
import { BLOCK_BYTES, BlockIndex, EACH, newBlockColumns } from './block-index.ts';
import type { BlockColumns } from './block-index.ts';

const VERSION = 1;
/** Columns are written in the machine's own byte order; an index made elsewhere is made again. */
const ORDER = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 'little' : 'big';
const MAX_HEADER_BYTES = 2 * 2 ** 20;
const ALIGN = 8;

const NAMES = ['firstAt', 'lastAt', 'rows', 'maxTaken', 'statuses', 'failedRoutes', 'failedClients', 'head'] as const satisfies readonly (keyof BlockColumns)[];

export function encodeIndex(index: BlockIndex, file: IndexedFile): Uint8Array {
  const header = Buffer.from(`${JSON.stringify({ version: VERSION, order: ORDER, blockBytes: BLOCK_BYTES, file, blocks: index.blocks, heads: index.heads, keys: index.keys } satisfies HttpIndexHeader)}\n`);
  const parts = NAMES.map((name) => {
    const column = index.columns[name];
    return Buffer.from(column.buffer, column.byteOffset, index.blocks * EACH[name] * column.BYTES_PER_ELEMENT);
  });
  return Buffer.concat([header, Buffer.alloc((ALIGN - header.length % ALIGN) % ALIGN), ...parts]);
}

/** Undefined for anything that encodeIndex() of this version and machine did not write whole. */
export function decodeIndex(bytes: Buffer): { readonly index: BlockIndex; readonly file: IndexedFile } | undefined {
  const end = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(10);
  const header = end < 0 ? undefined : HttpIndexHeader.safeParse(parsed(bytes.toString('utf8', 0, end))).data;
  if (header === undefined || header.order !== ORDER || header.blockBytes !== BLOCK_BYTES) return undefined;
  const columns = newBlockColumns(header.blocks);
  let at = end + 1 + (ALIGN - (end + 1) % ALIGN) % ALIGN;
  for (const name of NAMES) {
    const column = columns[name];
    const size = header.blocks * EACH[name] * column.BYTES_PER_ELEMENT;
    if (at + size > bytes.length) return undefined;
    new Uint8Array(column.buffer, column.byteOffset, size).set(bytes.subarray(at, at + size));
    at += size;
  }
  if (at !== bytes.length) return undefined;
  const index = new BlockIndex();
  index.merge({ first: 0, blocks: header.blocks, columns, keys: header.keys, heads: header.heads });
  return { index, file: header.file };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
