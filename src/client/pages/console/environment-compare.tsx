// Owns the comparison of environments on the page: two instances, or now against a saved moment; and saving and deleting moments.
import { useState } from 'preact/hooks';
import type { Problem } from '../../../shared/api.ts';
import type { ComparedEntry, Comparison, Difference, SnapshotView, Snapshots } from '../../../shared/environment.ts';
import { MASK } from '../../../shared/mask-pairs.ts';
import { plural } from '../../../shared/units.ts';
import { agent, ask, diag, problemOf } from '../../agent.ts';
import { useCell } from '../../cell.ts';
import { Empty, Failure, Show } from '../../parts/states.tsx';
import { Ago } from '../../parts/text.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { change } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { dayTime } from '../../words.ts';
import type { Query } from '../../address.ts';

/** The sides and whether equal ones are shown stand in the address. */
export function Compare({ query }: { query: Query }) {
  const asked = useAsk((signal) => diag.snapshots({ signal }), []);
  return <Show asked={asked} rows={6}>{(snapshots) => <Compared snapshots={snapshots} query={query} again={asked.again} />}</Show>;
}

function Compared({ snapshots, query, again }: { snapshots: Snapshots; query: Query; again: () => void }) {
  const { moments, instances, maxMoments, unreadable } = snapshots;
  const own = useCell(agent)?.app.instance;
  const left = query['left'] ?? moments[0]?.ref ?? instances.find(({ instance }) => instance !== own)?.ref;
  const right = query['right'] ?? 'now';
  return <>
    <div class="compare-bar">
      <Side label="Compare" value={left} snapshots={snapshots} onChoose={(ref) => change({ left: ref })} />
      <Side label="with" value={right} snapshots={snapshots} onChoose={(ref) => change({ right: ref === 'now' ? undefined : ref })} />
      <label class="check"><input type="checkbox" checked={query['all'] === '1'} onChange={(e) => change({ all: e.currentTarget.checked ? '1' : undefined })} />Equal ones too</label>
    </div>
    <Moments moments={moments} max={maxMoments} again={again} />
    {unreadable > 0 ? <p class="note">{plural(unreadable, 'kept file')} could not be read and {unreadable === 1 ? 'is' : 'are'} left out.</p> : undefined}
    {left === undefined ? <Empty title="There is nothing to compare with yet.">Save a moment now and compare with it later; other instances of the site appear here a minute after they start.</Empty>
      : <Result left={left} right={right} all={query['all'] === '1'} />}
  </>;
}

const titleOf = ({ ref, at, instance, note }: SnapshotView): string => (ref.startsWith('moment:') ? `${dayTime(at)}${note === undefined ? '' : `, ${note}`} (${instance})` : `instance ${instance}, as of ${dayTime(at)}`);

function Side({ label, value, snapshots: { instances, moments }, onChoose }: { label: string; value: string | undefined; snapshots: Snapshots; onChoose: (ref: string) => void }) {
  const known = value === undefined || value === 'now' || [...instances, ...moments].some(({ ref }) => ref === value);
  const options = (list: readonly SnapshotView[]) => list.map((one) => <option key={one.ref} value={one.ref}>{titleOf(one)}</option>);
  return (
    <label class="inline side-of"><span>{label}</span><select value={value ?? ''} onChange={(e) => onChoose(e.currentTarget.value)}>
      {value === undefined ? <option value="">nothing yet</option> : undefined}
      {known ? undefined : <option value={value}>{value}</option>}
      <option value="now">this instance now</option>
      {instances.length === 0 ? undefined : <optgroup label="Instances">{options(instances)}</optgroup>}
      {moments.length === 0 ? undefined : <optgroup label="Saved moments">{options(moments)}</optgroup>}
    </select></label>
  );
}

function Moments({ moments, max, again }: { moments: readonly SnapshotView[]; max: number; again: () => void }) {
  const [note, setNote] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [sure, setSure] = useState<string>();
  const run = (work: () => Promise<unknown>): void => {
    setBusy(true);
    setProblem(undefined);
    ask(work).then(() => { setNote(''); setSure(undefined); again(); }, (error: unknown) => setProblem(problemOf(error))).finally(() => setBusy(false));
  };
  const save = (event: Event): void => { event.preventDefault(); run(() => diag.saveMoment({ body: note.trim() === '' ? {} : { note: note.trim() } })); };
  const remove = (ref: string): void => (sure === ref ? run(() => diag.deleteMoment({ params: { moment: ref.replace('moment:', '') } })) : setSure(ref));
  return (
    <details class="moments" open={moments.length === 0}><summary>Saved moments <small>{moments.length} of at most {max}</small></summary>
      <form class="save-moment" onSubmit={save}><label class="inline grow"><span>Note</span><input type="text" value={note} maxLength={200} placeholder="before the deployment" onInput={(e) => setNote(e.currentTarget.value)} /></label><button type="submit" class="quiet" disabled={busy || moments.length >= max} title={moments.length >= max ? 'Delete one first.' : undefined}>Save this moment</button></form>
      {problem ? <Failure problem={problem} /> : undefined}
      <ul>{moments.map((one) => <li key={one.ref}><span>{titleOf(one)} <small>{plural(one.entries, 'entry', 'entries')}{one.who === undefined ? '' : `, by ${one.who}`}, <Ago at={one.at} /></small></span><button type="button" class="quiet danger" disabled={busy} aria-label={`${sure === one.ref ? 'Delete for good' : 'Delete'}: ${titleOf(one)}`} onClick={() => remove(one.ref)}>{sure === one.ref ? 'Delete for good' : 'Delete'}</button></li>)}</ul>
    </details>
  );
}

const WORDS: Readonly<Record<Difference, string>> = { differs: 'differs', 'only-left': 'only left', 'only-right': 'only right', 'cannot-tell': 'cannot be told', equal: 'equal' };
/** A hidden value is told equal or different by its mark; it is in neither answer. */
const sideOf = (side: ComparedEntry['left']) => (side === undefined ? <span class="absent">not there</span> : side.masked ? <i class="masked">masked</i> : <code title={side.value}>{side.value === '' ? '(empty)' : side.value}</code>);
const COLUMNS: readonly TableColumn<ComparedEntry>[] = [
  { id: 'name', title: 'Name', width: 'minmax(96px,2fr)', cell: (e) => <code title={e.group}>{e.name}</code>, value: (e) => e.name },
  { id: 'difference', title: 'How', width: 'minmax(64px,96px)', cell: (e) => <span class={e.difference === 'equal' || e.expected ? '' : 'warn-text'} title={e.expected ? 'It differs between instances by its nature.' : undefined}>{WORDS[e.difference]}</span>, value: (e) => e.difference },
  { id: 'left', title: 'Left', width: 'minmax(0,2fr)', cell: (e) => sideOf(e.left), value: (e) => (e.left?.masked ? MASK : e.left?.value) },
  { id: 'right', title: 'Right', width: 'minmax(0,2fr)', cell: (e) => sideOf(e.right), value: (e) => (e.right?.masked ? MASK : e.right?.value) },
  { id: 'group', title: 'Kind', width: '92px', wide: true, cell: (e) => e.group, value: (e) => e.group },
];

function Result({ left, right, all }: { left: string; right: string; all: boolean }) {
  const asked = useAsk((signal) => diag.compareEnvironments({ query: { left, right, all }, signal }), [left, right, all]);
  return <Show asked={asked} rows={6}>{(comparison) => <>
    <p class="said compare-said" role="status">{saidOf(comparison)}</p>
    {comparison.notes.map((note) => <p key={note} class="note">{note}</p>)}
    {comparison.entries.length === 0 ? undefined : <VirtualTable id="compared" label="Comparison" columns={COLUMNS} rows={comparison.entries} keyOf={(e) => `${e.group} ${e.name}`} rowClass={(e) => (e.expected ? 'is-quiet' : '')} fill />}
  </>}</Show>;
}

function saidOf({ differing, equal, entries, left, right }: Comparison): string {
  const untold = entries.filter(({ difference }) => difference === 'cannot-tell').length;
  const expected = entries.filter((e) => e.expected && e.difference !== 'equal').length;
  const by = expected === 0 ? '' : ` ${plural(expected, 'further one differs', 'further ones differ')} by ${expected === 1 ? 'its' : 'their'} nature.`;
  const cannot = untold === 0 ? '' : ` Of ${plural(untold, 'hidden value')} it cannot be told.`;
  return `${differing === 0 ? 'Nothing differs' : `${plural(differing, 'entry differs', 'entries differ')}`} between ${nameOf(left)} and ${nameOf(right)}; ${plural(equal, 'is', 'are')} equal.${by}${cannot}`;
}
const nameOf = (one: SnapshotView): string => (one.ref === 'now' ? 'now' : one.ref.startsWith('instance:') ? `instance ${one.instance}` : `${dayTime(one.at)}`);
