// Owns the Logs page: the catalog on the left, the tail of the chosen logs on the right.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { LogSourceInfo } from '../../../shared/model.ts';
import { diag } from '../../agent.ts';
import type { PageProps } from '../../frame/app.tsx';
import { Failure, Skeleton } from '../../parts/states.tsx';
import { change } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { Catalog } from './catalog.tsx';
import { logQueryOf } from './log-query.ts';
import { TailPane } from './tail-pane.tsx';

const CATALOG_EVERY_MS = 10_000;

export function LogsPage({ view }: PageProps) {
  const asked = useAsk((signal) => diag.logs({ signal }), [], CATALOG_EVERY_MS);
  const sources = asked.value?.sources;
  const query = useMemo(() => logQueryOf(view.query), [view]);
  const [open, setOpen] = useState(false);
  const preset = query.sources.length === 0 && sources !== undefined ? firstOf(sources) : undefined;
  useEffect(() => { if (preset !== undefined && preset.length > 0) change({ source: preset.join(',') }, true); }, [preset?.join()]);
  const choose = (ids: readonly string[]): void => { setOpen(false); change({ source: ids.join(',') || undefined, at: undefined }); };
  return (
    <main id="main" class="logs" tabIndex={-1}>
      <h1 class="sr">Logs</h1>
      <section class={open ? 'side open' : 'side'} aria-label="Catalog">
        <h2><button type="button" class="side-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>Logs</button></h2>
        {asked.problem ? <Failure problem={asked.problem} again={asked.again} /> : undefined}
        {sources === undefined ? (asked.problem ? undefined : <Skeleton rows={8} />) : <Catalog sources={sources} more={asked.value?.more ?? 0} chosen={query.sources} onChoose={choose} />}
      </section>
      <TailPane query={query} sources={sources} onCatalog={() => setOpen(true)} failed={asked.problem !== undefined && sources === undefined} />
    </main>
  );
}

/** What one wants to see first: what the application wrote last, and the event log beside it. */
function firstOf(sources: readonly LogSourceInfo[]): readonly string[] {
  const newest = (kind: LogSourceInfo['kind']): string | undefined => sources.filter((s) => s.kind === kind && s.sizeBytes > 0).sort((a, b) => b.changedAt - a.changedAt)[0]?.id;
  const application = newest('application') ?? newest('php') ?? newest('docker');
  const event = newest('event');
  const chosen = [application, event].filter((id): id is string => id !== undefined);
  return chosen.length > 0 ? chosen : sources.slice(0, 1).map((s) => s.id);
}
