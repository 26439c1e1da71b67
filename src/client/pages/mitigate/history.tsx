// Owns the history of what was changed through the agent: who, what, with which result.
import type { AuditEntry } from '../../../shared/api.ts';
import { diag } from '../../agent.ts';
import { Empty, Show } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { useAsk } from '../../use-ask.ts';

const EVERY_MS = 10_000;
const LIMIT = 1_000;

const COLUMNS: readonly TableColumn<AuditEntry>[] = [
  { id: 'at', title: 'Time', width: '118px', cell: (e) => <Time at={e.at} form="short" />, value: (e) => new Date(e.at).toISOString() },
  { id: 'did', title: 'Did', width: 'minmax(84px,1fr)', cell: (e) => e.did, value: (e) => e.did },
  { id: 'what', title: 'What', width: 'minmax(80px,2fr)', cell: (e) => <span title={e.what}>{e.what}</span>, value: (e) => e.what },
  { id: 'result', title: 'Result', width: 'minmax(0,2fr)', cell: (e) => <span title={e.result}>{e.result}</span>, value: (e) => e.result, wide: true },
  { id: 'who', title: 'Who', width: 'minmax(0,1fr)', cell: (e) => <span title={e.who}>{e.who}</span>, value: (e) => e.who, wide: true },
];

export function History({ turn }: { turn: number }) {
  const asked = useAsk((signal) => diag.audit({ query: { limit: LIMIT }, signal }), [turn], EVERY_MS);
  return (
    <section class="wide table-part">
      <h2>History <small>what was changed through this agent, newest first</small></h2>
      <Show asked={asked} rows={5}>{({ entries }) => (entries.length === 0
        ? <Empty title="Nothing was changed yet.">Restarts, started, cancelled and deleted sessions are written here, in a file that is only ever added to.</Empty>
        : <VirtualTable id="audit" label="History" columns={COLUMNS} rows={entries} keyOf={(e) => `${e.at}${e.did}${e.what}`} fill />)}</Show>
    </section>
  );
}
