// Owns the choice of the time range: the known ones, or two instants in the reader's own zone.
import { useState } from 'preact/hooks';
import { duration } from '../../shared/units.ts';
import { agentNow } from '../agent.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Icon } from '../parts/icons.tsx';
import { Menu } from '../parts/menu.tsx';
import { formatRange, OLDEST_MS, parseRange, RANGES, SHORTEST_MS, spanOf, titleOf, type Range } from '../range.ts';
import { setRange } from '../router.tsx';
import { dayTime, shortTime, zone } from '../words.ts';

export function RangeMenu({ range }: { range: Range }) {
  const [custom, setCustom] = useState(false);
  const word = formatRange(range) ?? '5m';
  const title = titleOf(range, (at) => shortTime(at, agentNow()));
  const choose = (chosen: string): void => {
    if (chosen === 'custom') setCustom(true);
    else setRange(parseRange(chosen));
  };
  return <>
    <Menu label={`Time range: ${title}, ${shortOf(range)}`} button={<><span class="range-title">{title}</span><span class="range-short">{shortOf(range)}</span><Icon name="down" /></>} chosen={range.kind === 'between' ? 'custom' : word} onChoose={choose}
      choices={[...RANGES.map((r) => ({ word: r.word, title: r.title })), { word: 'custom', title: 'Custom …', note: 'or drag on a chart' }]} />
    {custom ? <CustomRange range={range} onClose={() => setCustom(false)} /> : undefined}
  </>;
}

/** For a phone: only how long. */
const shortOf = (range: Range): string => duration(range.kind === 'last' ? range.forMs : Math.round((range.to - range.from) / 1_000) * 1_000);

const local = (at: number): string => dayTime(at).replace(' ', 'T');

function CustomRange({ range, onClose }: { range: Range; onClose: () => void }) {
  const now = agentNow();
  const span = spanOf(range, now);
  const [from, setFrom] = useState(local(span.from));
  const [to, setTo] = useState(local(span.to));
  const chosen: Range = { kind: 'between', from: Date.parse(from), to: Date.parse(to) };
  const fault = faultOf(chosen.from, chosen.to, now);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (fault !== undefined) return;
    setRange(chosen);
    onClose();
  };
  return (
    <Dialog title="Time range" onClose={onClose}>
      <form class="fields" onSubmit={submit}>
        <label>From<input type="datetime-local" step="1" value={from} onInput={(e) => setFrom(e.currentTarget.value)} /></label>
        <label>To<input type="datetime-local" step="1" value={to} onInput={(e) => setTo(e.currentTarget.value)} /></label>
        <p class="note">Times are {zone(now)}. History reaches back five days: 1 s steps for an hour, 10 s for a day, 1 min beyond.</p>
        {fault === undefined ? undefined : <p class="fault" role="alert">{fault}</p>}
        <div class="form-foot"><button type="submit" class="go" disabled={fault !== undefined}>Show this range</button></div>
      </form>
    </Dialog>
  );
}

function faultOf(from: number, to: number, now: number): string | undefined {
  if (Number.isNaN(from) || Number.isNaN(to)) return 'Both times are needed.';
  if (to - from < SHORTEST_MS) return 'The end must be at least 2 s after the beginning.';
  if (from > now) return 'The beginning lies in the future.';
  return to < now - OLDEST_MS ? 'Nothing older than five days is kept.' : undefined;
}
