// Owns what is kept of the past of this instance, as far as rules may be tried over it.
import type { RequestRow } from '../../shared/model.ts';
import type { Observed } from '../../observe/observe.ts';
import type { Platform } from '../../platform/platform.ts';
import type { Store } from '../../store/store.ts';
import type { Signal } from './meter.ts';
import type { Past } from './trial.ts';

const PAGE = 10_000;
/** Rows held at once: some 150 MB would be too much of an agent, this is a tenth. */
const MAX_ROWS = 200_000;
const MAX_CHANGES = 5_000;

export function pastOf({ store, observed, platform }: { readonly store: Store; readonly observed: Observed; readonly platform: Pick<Platform, 'clock' | 'eventLog' | 'can'> }, signal: AbortSignal): Past {
  return {
    series: (query) => store.history.read({ ...query, now: platform.clock.now() }),
    tracks: (from, to) => store.history.tracks(from, to),
    async requests(from, to) {
      const signals: Signal[] = [];
      let after: string | undefined;
      for (;;) {
        const page = await observed.rows({ from, to, limit: PAGE, ...(after === undefined ? {} : { after }) }, signal);
        for (const one of page.rows) signals.push(requestSignal(one));
        after = page.next;
        if (!page.more || after === undefined) return signals.length === 0 ? undefined : { signals };
        if (signals.length >= MAX_ROWS) return { signals, since: signals.at(-1)?.at ?? from };
      }
    },
    async changes(from) {
      const { entries } = await store.changes.recent(MAX_CHANGES);
      const newest = new Map(entries.map((change) => [change.id, change] as const).reverse());
      return [...newest.values()].filter(({ at }) => at >= from);
    },
    async events(from) {
      if (!platform.can('event-log').yes) return undefined;
      return (await platform.eventLog(signal)).flatMap(({ at, provider, id }) => (at < from ? [] : [{ kind: 'event' as const, at, source: provider, eventId: id }]));
    },
    async causes(from) {
      const { sessions } = await store.sessions.list();
      const found = await Promise.all(sessions.filter(({ report, madeAt }) => report && madeAt >= from).map(async ({ id, endedAt, madeAt }) => (await store.sessions.report(id)).causes.flatMap(({ id: cause, verdict }) => (verdict === 'found' ? [{ at: endedAt ?? madeAt, cause }] : []))));
      return found.flat();
    },
  };
}

export function requestSignal({ at, path, status, sub, win32, takenMs }: RequestRow): Signal {
  return { kind: 'request', at, path, status, ...(sub === undefined ? {} : { sub }), ...(win32 === undefined ? {} : { win32 }), ...(takenMs === undefined ? {} : { takenMs }) };
}
