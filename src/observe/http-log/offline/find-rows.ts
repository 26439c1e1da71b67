// Owns finding rows in files without an agent, together with those that were kept while packed files were read.
import type { RequestRow } from '../../../shared/model.ts';
import { formatOf } from '../formats/index.ts';
import { plainFile } from '../plain-file.ts';
import type { ScanInput } from '../scan/contract.ts';
import { inOrder, searchRows } from '../search.ts';

type Search = Parameters<typeof searchRows>[1];

/** The first `limit` rows in order; `kept`: of other sources. */
export async function findRows(inputs: readonly ScanInput[], search: Search, kept: readonly RequestRow[], signal: AbortSignal): Promise<{ readonly rows: readonly RequestRow[]; readonly more: boolean }> {
  const files = inputs.map(({ path, source, format }) => plainFile({ path, source, format: formatOf(format.id, format.pattern), whole: true }));
  const found = await searchRows(files, search, signal);
  const rows = [...found.rows, ...kept].sort(inOrder);
  return { rows: rows.slice(0, search.limit), more: found.more || rows.length > search.limit };
}
