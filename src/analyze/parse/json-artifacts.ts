// Owns the reading of JSON artifacts: each is parsed here, whoever wrote it, and one that cannot be read is named and not hidden.
import type { z } from 'zod';
import { sayError } from '../../shared/errors.ts';
import type { Finding } from '../../shared/model.ts';
import type { ArtifactReader } from '../contracts.ts';
import { oneLine } from './words.ts';

export interface Unreadable { readonly name: string; readonly why: string }
export interface ReadAll<T> { readonly files: readonly T[]; readonly unreadable: readonly Unreadable[] }

/** All files of one kind, in the order given. Absent kind: none. */
export async function readAll<T>(readers: readonly ArtifactReader[] | undefined, schema: z.ZodType<T>): Promise<ReadAll<T>> {
  const files: T[] = [];
  const unreadable: Unreadable[] = [];
  for (const reader of readers ?? []) {
    try {
      const parsed = schema.safeParse(await reader.json());
      if (parsed.success) files.push(parsed.data);
      else unreadable.push({ name: reader.ref.name, why: oneLine(parsed.error.issues.slice(0, 3).map((i) => `${i.path.join('.')}: ${i.message}`).join('; ')) });
    } catch (error) {                                          // cut off, not JSON, gone: the finding says so
      unreadable.push({ name: reader.ref.name, why: oneLine(sayError(error)) });
    }
  }
  return { files, unreadable };
}

/** The finding that says what could not be read; none when all could. */
export function unreadableFinding(analyzer: string, area: Finding['area'], unreadable: readonly Unreadable[]): Finding[] {
  if (unreadable.length === 0) return [];
  return [{
    id: `${analyzer}-unreadable`, area, severity: 'cannot-tell',
    title: unreadable.length === 1 ? `${oneLine(unreadable[0]?.name ?? '')} could not be read` : `${unreadable.length} files could not be read`,
    why: 'What stands in them took no part in this report.',
    advice: 'Collect again: a file can be cut off when the disk is full or the collection was interrupted.',
    evidence: [{ kind: 'table', columns: [{ title: 'File', unit: 'code' }, { title: 'Why', unit: 'text' }], rows: unreadable.slice(0, 20).map((u) => [oneLine(u.name), u.why]) }],
    mitigations: [],
  }];
}
