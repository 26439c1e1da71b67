// Owns the history of the rules on the page: what fired, what was done, and why, newest first.
import type { RuleEntry } from '../../../shared/rules.ts';
import { duration } from '../../../shared/units.ts';
import { diag, fileAddress } from '../../agent.ts';
import { Empty, Show } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { Link, viewOf } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';

const EVERY_MS = 5_000;
const LIMIT = 10_000;

const COLUMNS: readonly TableColumn<RuleEntry>[] = [
  { id: 'at', title: 'Time', width: '118px', cell: (e) => <Time at={e.at} form="short" />, value: (e) => new Date(e.at).toISOString() },
  { id: 'rule', title: 'Rule', width: 'minmax(80px,1fr)', cell: (e) => <span title={e.rule}>{e.rule}</span>, value: (e) => e.rule },
  { id: 'did', title: 'What', width: 'minmax(110px,1fr)', cell: (e) => what(e), value: (e) => what(e) },
  { id: 'says', title: 'Why, or what came of it', width: 'minmax(0,3fr)', cell: (e) => <span title={why(e)}>{e.did === 'ended' && e.session !== undefined ? <><Link class="underlined" to={{ ...viewOf('analyze'), session: e.session }}>Session</Link> </> : undefined}{why(e)}</span>, value: (e) => why(e), wide: true },
  { id: 'took', title: 'Took', width: '80px', num: true, cell: (e) => (e.did === 'ended' && e.tookMs !== undefined ? duration(e.tookMs) : ''), value: (e) => (e.did === 'ended' ? e.tookMs : undefined), wide: true },
];

export function RuleHistory({ turn }: { turn: number }) {
  const asked = useAsk((signal) => diag.ruleHistory({ query: { limit: LIMIT }, signal }), [turn], EVERY_MS);
  return (
    <section class="wide table-part">
      <h2>What the rules did <small>newest first, kept for 90 days</small></h2>
      <Show asked={asked} rows={5}>{({ entries, unreadable }) => (entries.length === 0
        ? <Empty title="No rule has done anything yet.">Each change of a phase, each firing and each action with its result is written here.</Empty>
        : <VirtualTable id="rule-history" label="What the rules did" columns={COLUMNS} rows={entries} keyOf={keyOf} fill rowClass={(e) => (e.did === 'fired' || (e.did === 'ended' && e.result === 'failed') ? 'bad' : '')}
            tools={<><a class="quiet opt" href={fileAddress('ruleHistoryCsv', {})} download>All as CSV</a>{unreadable > 0 ? <span class="vt-count">{unreadable} lines could not be read</span> : undefined}</>} />)}</Show>
    </section>
  );
}

const keyOf = (e: RuleEntry): string => `${e.at} ${e.rule} ${e.did} ${e.did === 'begun' || e.did === 'ended' ? e.step : ''} ${e.did === 'phase' ? `${e.phase} ${e.heldBy ?? ''}` : ''}`;

function what(e: RuleEntry): string {
  switch (e.did) {
    case 'phase': return e.phase;
    case 'begun': return `step ${e.step + 1} begins`;
    case 'ended': return `${e.type}: ${e.result}`;
    case 'closed': return 'all steps ended';
    default: return e.did;
  }
}

function why(e: RuleEntry): string {
  switch (e.did) {
    case 'phase': return e.heldBy === undefined ? '' : `held back by ${e.heldBy}`;
    case 'fired': return e.condition;
    case 'ended': return e.says ?? '';
    case 'over': return 'the condition is gone';
    default: return '';
  }
}
