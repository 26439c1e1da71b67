// Owns who asked for what: requests over time, and the values of each dimension with what the others add up to.
import type { HttpReport } from '../../../shared/http-report.ts';
import { countWords, distinctWords, othersWords, shareWord } from '../../../shared/http-words.ts';
import type { HttpTerm, TextField } from '../../../shared/http-filter.ts';
import type { Change } from '../../../shared/model.ts';
import { count, duration } from '../../../shared/units.ts';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { go, Link } from '../../router.tsx';
import { stack, type ChartDef, type Line } from './chart-list.ts';
import { PlotSection } from './chart.tsx';
import { FAILED, named, type RowsOf } from './http-links.ts';

interface Props { report: HttpReport; changes: readonly Change[]; to: RowsOf }
type Groups = HttpReport['clients'];
type Group = Groups['top'][number];
const DEF: ChartDef = { id: 'http-traffic', title: 'Requests', unit: 'count', stacked: true, series: [] };

const DIMENSIONS = [
  ['methods', 'Methods', 'method', 'method'], ['hosts', 'Hosts', 'host', 'host'], ['instances', 'Instances', 'instance', 'instance'],
  ['clients', 'Clients', 'client', 'client'], ['agents', 'User agents', 'family', 'family'], ['referrers', 'Referrers', 'referring host', 'refhost'],
] as const satisfies readonly (readonly [keyof HttpReport, string, string, TextField])[];

export function Traffic({ report, changes, to }: Props) {
  return <>
    <PlotSection class="wide" def={DEF} rate={false} note={`per ${duration(report.stepMs)}, failed in front`} at={report.minutes.map((m) => m.at)} span={report} loaded stamp={report} changes={changes} lines={() => linesOf(report)} />
    <div class="wide groups-up">{DIMENSIONS.map(([id, title, one, field]) => <Dimension key={id} id={id} title={title} one={one} groups={report[id]} rows={report.rows} of={(name) => named(field, name)} to={to} />)}</div>
  </>;
}

function linesOf({ minutes }: HttpReport): readonly Line[] {
  const line = (name: string, label: string, token: string, values: (number | null)[]): Line => ({ name, label, token, values, drawn: values });
  return stack([line('failed', 'failed', 'bad', minutes.map((m) => m.failures)), line('other', 'not failed', 'bar', minutes.map((m) => m.count - m.failures))]);
}

interface DimensionProps { id: string; title: string; one: string; groups: Groups; rows: number; of: (name: string) => HttpTerm; to: RowsOf }
function Dimension({ id, title, one, groups, rows, of, to }: DimensionProps) {
  const rest = othersWords(groups);
  if (groups.top.length === 0) return <section class="group"><h2>{title}</h2><p class="group-none">Not in the log.</p></section>;
  return (
    <section class="group"><h2>{title} <small>{distinctWords(groups, one)}{rest === undefined ? '' : ` · ${rest}`}</small></h2>
      <VirtualTable id={`http-${id}`} label={`Requests by ${title.toLowerCase()}`} columns={columns(one, rows, of, to).filter((c) => groups.top.some((g) => c.value(g) !== undefined))} rows={groups.top} keyOf={(g) => g.name} onOpen={(g) => go(to([of(g.name)]))} small />
    </section>
  );
}

const shown = (name: string): string => (name === '-' || name === '' ? 'none' : name);
const columns = (title: string, rows: number, of: (name: string) => HttpTerm, to: RowsOf): readonly TableColumn<Group>[] => [
  { id: 'name', title: title.slice(0, 1).toUpperCase() + title.slice(1), width: 'minmax(90px,1fr)', cell: (g) => <span title={g.name}>{shown(g.name)}</span>, value: (g) => g.name },
  { id: 'count', title: 'Requests', width: '80px', num: true, cell: (g) => <Link to={to([of(g.name)])} class="ink">{countWords(g)}</Link>, value: (g) => g.count },
  { id: 'share', title: 'Share', width: '68px', num: true, wide: true, cell: (g) => shareWord(g.count, rows) ?? '–', value: (g) => g.count / Math.max(1, rows) },
  { id: 'failed', title: 'Failed', width: '60px', num: true, cell: (g) => (g.failures > 0 ? <Link to={to([of(g.name), FAILED])} class="bad">{count(g.failures)}</Link> : '0'), value: (g) => g.failures },
  { id: 'p95', title: 'p95', width: '84px', num: true, cell: (g) => (g.p95 === undefined ? '–' : duration(g.p95)), value: (g) => g.p95 },
];
