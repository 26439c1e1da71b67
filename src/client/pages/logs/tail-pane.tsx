// Owns the right side of the Logs page: heading, filter, what was lost or left out, and the list of lines.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { LogSourceInfo } from '../../../shared/model.ts';
import { count } from '../../../shared/units.ts';
import { agentNow, fileAddress } from '../../agent.ts';
import { onCommand } from '../../keys.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Menu } from '../../parts/menu.tsx';
import { canCopy, copy, saveFile } from '../../parts/save.ts';
import { Empty, Failure, Skeleton } from '../../parts/states.tsx';
import { change } from '../../router.tsx';
import { keep, readKept } from '../../theme.ts';
import { dayTime, shortTime } from '../../words.ts';
import { FilterBar, finderOf } from './filter-bar.tsx';
import { filterOf, type LogQuery } from './log-query.ts';
import { textOfRow } from './log-layout.ts';
import { LogView } from './log-view.tsx';
import { MinuteBars } from './minute-bars.tsx';
import type { Row } from './tail-store.ts';
import { useTail, type Tail } from './use-tail.ts';

const WRAP_KEY = 'diag-wrap';
interface TailPaneProps { query: LogQuery; sources: readonly LogSourceInfo[] | undefined; onCatalog: () => void; failed: boolean }

export function TailPane({ query, sources, onCatalog, failed }: TailPaneProps) {
  const [paused, setPaused] = useState(false);
  const [hold, setHold] = useState(false);
  const [wrap, setWrap] = useState(readKept(WRAP_KEY) !== 'off');
  const [jump, setJump] = useState(false);
  const tail = useTail(query, paused || hold);
  useEffect(() => onCommand((command) => {
    if (command !== 'pause') return false;
    setPaused((was) => !was);
    return true;
  }), []);
  const names = useMemo(() => new Map(query.sources.map((id) => [id, sources?.find((s) => s.id === id)?.title ?? id])), [query.sources.join(), sources]);
  const find = useMemo(() => finderOf(query), [query]);
  const title = names.size === 0 ? 'No log is open' : names.size === 1 ? [...names.values()][0] : `${names.size} logs, merged by time`;
  if (query.sources.length === 0) return <section class="tail"><h2>{failed ? 'Tail' : title}</h2>{failed ? <Empty title="The catalog could not be read." /> : sources === undefined ? <Skeleton rows={12} /> : <Empty title="No log is open."><button type="button" class="link" onClick={onCatalog}>Choose one from the catalog</button></Empty>}</section>;
  return (
    <section class="tail" aria-label={title}>
      <h2><span class="tail-title" title={[...names.values()].join('\n')}>{title}</span><small>{stateWords(query, tail, paused, hold)}</small>
        <span class="tail-tools">
          {query.at === undefined ? <button type="button" class={paused ? 'quiet pressed' : 'quiet'} aria-pressed={paused} onClick={() => setPaused(!paused)}>{paused ? `Resume${tail.waiting > 0 ? ` (${count(tail.waiting)})` : ''}` : 'Pause'} <kbd class="opt">space</kbd></button> : <button type="button" class="quiet" onClick={() => change({ at: undefined, row: undefined })}>Back to live</button>}
          <button type="button" class="quiet" onClick={() => setJump(true)}>Jump to time</button>
          <button type="button" class={wrap ? 'quiet pressed' : 'quiet'} aria-pressed={wrap} onClick={() => { keep(WRAP_KEY, wrap ? 'off' : 'on'); setWrap(!wrap); }}>Wrap</button>
          <More tail={tail} names={names} />
        </span></h2>
      <FilterBar query={query} />
      {tail.problem ? <Failure problem={tail.problem} /> : undefined}
      {tail.store.minutes.list().length > 1 ? <MinuteBars minutes={tail.store.minutes.list()} now={agentNow()} /> : undefined}
      {tail.store.rows.length > 0 ? <LogView tail={tail} names={names} wrap={wrap} wanted={query.at} wantedRow={query.row} paused={paused} onHold={setHold} find={find} />
        : tail.loading ? <Skeleton rows={14} /> : tail.problem ? undefined : <Nothing query={query} tail={tail} />}
      {jump ? <JumpDialog at={query.at} onClose={() => setJump(false)} /> : undefined}
    </section>
  );
}

function stateWords(query: LogQuery, tail: Tail, paused: boolean, hold: boolean): string {
  const { store } = tail;
  const words = [
    query.at === undefined ? (paused ? 'paused' : hold ? 'held while the pointer is on the newest lines' : 'live') : `from ${shortTime(query.at, agentNow())}`,
    tail.waiting > 0 ? `${count(tail.waiting)} waiting` : '', store.passed > 0 ? `${count(store.passed)} left out by the filter` : '',
    store.left > 0 ? `${count(store.left)} older ones left the page` : '', store.full ? `${count(store.rows.length)} shown at most; jump to a time for older ones` : '', store.dropped > 0 ? `${count(store.dropped)} dropped: this page was too slow` : '', store.cut === undefined ? '' : `not read to its end: ${store.cut}`,
  ];
  return words.filter((w) => w !== '').join(' · ');
}

function Nothing({ query, tail }: { query: LogQuery; tail: Tail }) {
  if (filterOf(query) === undefined) return <Empty title={query.at === undefined ? 'The log is empty.' : 'Nothing was written from that time on.'}>{query.at === undefined ? 'New lines appear here as they are written.' : <button type="button" class="link" onClick={() => change({ at: undefined, row: undefined })}>Back to live</button>}</Empty>;
  return <Empty title="No line fits the filter.">{tail.store.passed > 0 ? `${count(tail.store.passed)} lines were left out. ` : ''}New lines that fit appear here. <button type="button" class="link" onClick={() => change({ text: undefined, levels: undefined, not: undefined })}>Remove the filter</button></Empty>;
}

const plain = (rows: readonly Row[], names: ReadonlyMap<string, string>): string => rows.map((r) => `${names.size > 1 ? `${names.get(r.source) ?? r.source}: ` : ''}${r.line?.text ?? textOfRow(r)}`).join('\n') + '\n';

function More({ tail, names }: { tail: Tail; names: ReadonlyMap<string, string> }) {
  const choose = (word: string): void => {
    const text = plain(tail.store.rows, names);
    if (word === 'copy') copy(text).catch(() => undefined);
    else if (word === 'save') saveFile('lines.txt', new Blob([text], { type: 'text/plain' }));
    else location.assign(fileAddress('logFile', { source: word }));
  };
  const files = [...names].map(([id, name]) => ({ word: id, title: `Download ${name}` }));
  return <Menu label="More: copy and download" button="More" chosen={undefined} onChoose={choose} choices={[...(canCopy() ? [{ word: 'copy', title: `Copy ${count(tail.store.rows.length)} entries` }] : []), { word: 'save', title: 'Save these entries' }, ...files]} />;
}

function JumpDialog({ at, onClose }: { at: number | undefined; onClose: () => void }) {
  const [text, setText] = useState(dayTime(at ?? agentNow() - 300_000).replace(' ', 'T'));
  const chosen = Date.parse(text);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (Number.isNaN(chosen)) return;
    change({ at: String(chosen), row: undefined });
    onClose();
  };
  return <Dialog title="Jump to time" onClose={onClose}><form class="fields" onSubmit={submit}>
    <label>Time<input type="datetime-local" step="1" value={text} onInput={(e) => setText(e.currentTarget.value)} /></label>
    <p class="note">Shows what was written from then on; scroll up for what came before.</p>
    <div class="form-foot"><button type="submit" class="go" disabled={Number.isNaN(chosen)}>Jump</button></div>
  </form></Dialog>;
}
