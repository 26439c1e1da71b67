// Owns the logs of the site as the floors above see them: catalog, pages and live tails.
import { DiagError } from '../../shared/errors.ts';
import type { Platform } from '../../platform/platform.ts';
import type { Logs } from '../observe.ts';
import { Catalog, isEventLog } from './catalog.ts';
import { realInside, stateAt } from './file.ts';
import { eventPage, followEvents } from './events.ts';
import { followLog } from './follow.ts';
import { readPage } from './page.ts';
import type { Log } from './log.ts';
import type { LineMask } from './masked.ts';
import { readSince } from './since.ts';
import { Tails } from './tails.ts';

const NEVER = new AbortController().signal; // the catalog's scan is bounded by itself

/** Holds nothing open until a log is followed; the last follower of a log closes it. `mask` hides secrets in what is followed; pages come as they are. */
export function openLogs({ platform, mask }: { readonly platform: Platform; readonly mask?: LineMask }): Logs {
  const { clock, host: { folders } } = platform;
  const catalog = new Catalog(folders, clock);
  const tails = new Tails(clock, mask);
  const find = async (source: string): Promise<Log> => {
    const path = await catalog.find(source, NEVER);
    if (path === undefined) throw new DiagError('SOURCE_UNKNOWN', { source });
    return { source, path, roots: catalog.roots };
  };
  return {
    catalog: (signal, options) => catalog.list(signal, options?.fresh),
    async path(source) {
      const { path, roots } = await find(source);
      const real = await realInside(path, roots); // a link may lead elsewhere since it was listed
      if (real === undefined || !await stateAt(real)) throw new DiagError('SOURCE_UNKNOWN', { source });
      return real;
    },
    async page(source, query, signal) {
      const log = await find(source);
      return isEventLog(log.path, folders) ? eventPage(log, query, platform, signal) : readPage(log, query, clock, signal);
    },
    async since(source, query, signal) {
      const log = await find(source);
      if (isEventLog(log.path, folders)) throw new DiagError('SOURCE_UNKNOWN', { source });
      return readSince(log, query, clock, signal);
    },
    async follow(source, options) {
      const log = await find(source);
      await (isEventLog(log.path, folders) ? followEvents(log, options, platform, mask) : followLog(log, options, tails, clock));
    },
  };
}
