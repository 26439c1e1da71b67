// Owns the way from a log's title to the catalog's id of it, without asking the catalog for each row.
import type { Logs } from './observe.ts';

/** The catalog is read again for an unknown title at most this often. */
const ASK_EVERY_MS = 3_000;

export interface SourceNames {
  /** The id of the log with this title (path below LogFiles, with slashes); an empty text while the catalog does not have it. */
  of(title: string, signal: AbortSignal): Promise<string>;
}

export function createSourceNames(logs: Pick<Logs, 'catalog'>, now: () => number): SourceNames {
  let ids = new Map<string, string>();
  let askedAt = -Infinity;
  return {
    async of(title, signal) {
      const known = ids.get(title.toLowerCase());
      if (known !== undefined) return known;
      if (now() - askedAt >= ASK_EVERY_MS) {
        askedAt = now();
        const { sources } = await logs.catalog(signal);
        ids = new Map(sources.map((one) => [one.title.replaceAll('\\', '/').toLowerCase(), one.id]));
      }
      return ids.get(title.toLowerCase()) ?? '';
    },
  };
}
