// Owns the first line of a kept HTTP index: which log it speaks of, and how its columns lie.
import { z } from 'zod';

/** Which file an index speaks of, and by what it is told from another one under the same name. */
export const IndexedFile = z.object({
  path: z.string(), ino: z.number(), format: z.string(),
  /** The file was at least this long, its first and its last bytes up to there had these hashes. */
  sizeBytes: z.number().int().nonnegative(), headHash: z.string(), tailHash: z.string(),
});
export type IndexedFile = z.infer<typeof IndexedFile>;

export const HttpIndexHeader = z.object({
  version: z.literal(1), order: z.enum(['little', 'big']), blockBytes: z.number().int(), file: IndexedFile,
  blocks: z.number().int().min(0).max(65_536), heads: z.array(z.string()).max(64),
  keys: z.array(z.object({ status: z.number(), sub: z.number(), win32: z.number() })).max(63),
});
export type HttpIndexHeader = z.infer<typeof HttpIndexHeader>;
