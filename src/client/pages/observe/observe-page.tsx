// Owns the Observe page: its parts, the shared range and the pause that holds everything live.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PageProps } from '../../frame/app.tsx';
import { onCommand } from '../../keys.ts';
import { Link, rangeOf, viewOf } from '../../router.tsx';
import { ChangesPart } from './changes-part.tsx';
import { MetricsPart } from './metrics-part.tsx';
import { ProcessesPart } from './processes-part.tsx';
import { RequestsPart } from './requests-part.tsx';
import { SummaryPart } from './summary-part.tsx';
import { isLive } from './use-series.ts';

const PARTS = [['metrics', 'Metrics'], ['requests', 'Requests'], ['summary', 'HTTP summary'], ['processes', 'Processes'], ['changes', 'Changes']] as const;
type Part = (typeof PARTS)[number][0];

export function ObservePage({ view }: PageProps) {
  const range = rangeOf(view);
  const part: Part = PARTS.find(([id]) => id === view.query['part'])?.[0] ?? (view.query['process'] === undefined ? 'metrics' : 'processes');
  const [paused, setPaused] = useState(false);
  useEffect(() => onCommand((command) => {
    if (command !== 'pause') return false;
    setPaused((was) => !was);
    return true;
  }), []);
  const moves = part === 'metrics' || part === 'requests' || part === 'processes';
  const tools: ComponentChildren = moves && (isLive(range) || part === 'processes') ? <button type="button" class={paused ? 'quiet pressed' : 'quiet'} aria-pressed={paused} onClick={() => setPaused(!paused)}>{paused ? 'Resume' : 'Pause'} <kbd>space</kbd></button> : undefined;
  return (
    <main id="main" class="observe" tabIndex={-1}>
      <h1 class="sr">Observe</h1>
      <div class="wide parts-bar">
        <nav class="parts" aria-label="Parts of Observe">{PARTS.map(([id, title]) => <Link key={id} to={viewOf('observe', { part: id === 'metrics' ? undefined : id })} current={part === id}>{title}</Link>)}</nav>
        {tools}
      </div>
      {part === 'metrics' ? <MetricsPart range={range} chart={view.query['chart']} paused={paused} /> : undefined}
      {part === 'requests' ? <RequestsPart range={range} query={view.query} paused={paused} /> : undefined}
      {part === 'summary' ? <SummaryPart range={range} /> : undefined}
      {part === 'processes' ? <ProcessesPart chosen={view.query['process']} paused={paused} /> : undefined}
      {part === 'changes' ? <ChangesPart range={range} /> : undefined}
    </main>
  );
}
