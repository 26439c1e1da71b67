// Owns the words of files: what a place, an entry, the bin and the use of a disk are.
import { z } from 'zod';
import { At } from './model.ts';

/** link: a symbolic link, junction or other reparse point; other: a device, pipe or socket. Neither is ever opened. */
export const EntryKind = z.enum(['file', 'folder', 'link', 'other']);
export type EntryKind = z.infer<typeof EntryKind>;

export const FileEntry = z.object({
  name: z.string(),
  kind: EntryKind,
  sizeBytes: z.number().int().optional(),                      // of files
  modifiedAt: At.optional(),
  createdAt: At.optional(),
  etag: z.string().optional(),                                 // of files: strong, quoted, changes with each write
  target: z.string().optional(),                               // where a link leads, as it is written in it
  closed: z.string().optional(),                               // why it is seen but not touched
});
export type FileEntry = z.infer<typeof FileEntry>;

/** Something in the bin. */
export const Binned = z.object({ id: z.string(), root: z.string(), path: z.string(), kind: z.enum(['file', 'folder', 'link', 'other']), at: At, bytes: z.number().int(), files: z.number().int() });
export type Binned = z.infer<typeof Binned>;

export interface FolderUse { name: string; bytes: number; files: number; folders: FolderUse[]; more: number }
/** `more`: folders below that are summed up but not named. */
export const FolderUse: z.ZodType<FolderUse> = z.object({ name: z.string(), bytes: z.number().int(), files: z.number().int(), get folders() { return z.array(FolderUse); }, more: z.number().int() });
export const DiskUse = z.object({
  use: FolderUse,
  largest: z.array(z.object({ path: z.string(), bytes: z.number().int() })),
  unreadable: z.number().int(),                                // folders and files that could not be read
  links: z.number().int(),                                     // not followed
  whole: z.boolean(),                                          // otherwise the figures are at least
});
export type DiskUse = z.infer<typeof DiskUse>;
