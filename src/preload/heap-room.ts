// Owns how much the JavaScript heap may hold of what stays: the limit of V8's old generation, and how much of it is used.
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';

const MIB = 1_048_576;
/** `--max-old-space-size=N` of the command line or of NODE_OPTIONS, with either sign between its words (V8 takes both). The last one counts. */
const FLAG = /^--max[-_]old[-_]space[-_]size=(\d{1,7})$/;

let known: number | undefined;

/** Bytes. V8's `heap_size_limit` holds the young generation too (three half-spaces: 48 MB, since Node 24 192 MB), where nothing that stays lives: a heap of
 *  64 MB would end at a quarter of it. Without the flag V8 takes both from the memory of the machine, the young one as a fixed part of the old (V8, heap.cc, YoungGenerationSizeFromOldGenerationSize). */
export function oldLimit(): number {
  known ??= limitOf(process.execArgv, process.env['NODE_OPTIONS'] ?? '', getHeapStatistics().heap_size_limit, Number(process.versions.node.split('.', 1)[0]));
  return known;
}

/** Pure part: what `oldLimit` says for these flags, this limit of V8 in bytes and this line of Node. */
export function limitOf(flags: readonly string[], options: string, wholeBytes: number, line: number): number {
  const given = [...options.split(/\s+/), ...flags].flatMap((one) => { const size = FLAG.exec(one)?.[1]; return size === undefined || Number(size) === 0 ? [] : [Number(size) * MIB]; }).pop();
  if (given !== undefined && given <= wholeBytes) return given;
  const halfs = line >= 24 ? 64 : 128;
  return Math.round(wholeBytes * halfs / (halfs + 3));
}

/** Bytes of the heap outside the young generation. */
export function oldUsed(): number {
  const young = getHeapSpaceStatistics().reduce((sum, { space_name: name, space_used_size: used }) => (name === 'new_space' || name === 'new_large_object_space' ? sum + used : sum), 0);
  return getHeapStatistics().used_heap_size - young;
}
