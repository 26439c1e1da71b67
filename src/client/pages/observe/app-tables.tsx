// Owns the tables of the App part: requests in flight with what they wait for, routes, and what the app calls.
import { useMemo } from 'preact/hooks';
import type { AppInside } from '../../../shared/app-view.ts';
import { count, duration, plural } from '../../../shared/units.ts';
import { Empty } from '../../parts/states.tsx';
import { VirtualTable } from '../../parts/virtual-table.tsx';
import { dependencyColumns, flightColumns, routeColumns } from './app-columns.tsx';
import { keyed } from './app-words.ts';

export function FlightsPanel({ inside, several }: { inside: AppInside; several: boolean }) {
  const rows = useMemo(() => keyed(inside.oldest), [inside.oldest]);
  const followed = rows.some(({ waits }) => waits !== undefined);
  const columns = useMemo(() => flightColumns(several, followed), [several, followed]);
  const all = inside.inFlight ?? rows.length;
  return (
    <section><h2>In flight now <small>{count(all)}, the oldest first{all > rows.length ? `, ${count(rows.length)} of them shown` : ''}</small></h2>
      {rows.length === 0 ? <Empty title={inside.inFlight === undefined ? 'Not told.' : 'No request is in flight.'} /> : <VirtualTable id="app-flights" label="Requests in flight" columns={columns} rows={rows} keyOf={(r) => r.key} small />}
    </section>
  );
}

export function RoutesPanel({ inside }: { inside: AppInside }) {
  const columns = useMemo(() => routeColumns(inside.coversMs), [inside.coversMs]);
  return (
    <section><h2>Routes <small>{plural(inside.routes.length, 'route')} of the last {duration(inside.coversMs)}, as the app timed them</small></h2>
      {inside.routes.length === 0 ? <Empty title="No request was answered in the last minute.">The figures begin with the agent: what was before is not seen.</Empty> : <VirtualTable id="app-routes" label="Routes" columns={columns} rows={inside.routes} keyOf={(r) => `${r.method} ${r.path} ${r.pattern} ${r.protocol ?? ''}`} rowClass={(r) => (r.failed > 0 ? 'is-bad' : '')} small />}
    </section>
  );
}

export function DependenciesPanel({ inside }: { inside: AppInside }) {
  const columns = useMemo(() => dependencyColumns(inside.lookups), [inside.lookups]);
  return (
    <section class="wide"><h2>Dependencies <small>what the app calls, by host; the time is until the answer begins</small></h2>
      {inside.dependencies.length === 0 ? <Empty title="It called nothing in the last minute." /> : <VirtualTable id="app-dependencies" label="Dependencies" columns={columns} rows={inside.dependencies} keyOf={(r) => `${r.by} ${r.host}`} rowClass={(r) => (r.errors.length > 0 ? 'is-bad' : '')} small />}
    </section>
  );
}
