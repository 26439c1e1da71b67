// Owns the Observe page: its parts, the shared range and the pause that holds everything live.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PageProps } from '../../frame/app.tsx';
import { onCommand } from '../../keys.ts';
import { Link, rangeOf, viewOf } from '../../router.tsx';
import { AppPart } from './app-part.tsx';
import { ChangesPart } from './changes-part.tsx';
import { HttpPart } from './http-part.tsx';
import { MetricsPart } from './metrics-part.tsx';
import { ProcessesPart } from './processes-part.tsx';
import { isLive } from './use-series.ts';

const PARTS = [['metrics', 'Metrics'], ['http', 'HTTP'], ['app', 'App'], ['processes', 'Processes'], ['changes', 'Changes']] as const;
type Part = (typeof PARTS)[number][0];
/** Other words for a part: the rows of HTTP, and what older addresses called its figures. */
const ALIASES: Readonly<Record<string, Part>> = { requests: 'http', summary: 'http' };

export function ObservePage({ view }: PageProps) {
  const range = rangeOf(view);
  const word = view.query['part'] ?? '';
  const rows = word === 'requests';
  const part: Part = ALIASES[word] ?? PARTS.find(([id]) => id === word)?.[0] ?? (view.query['process'] === undefined ? 'metrics' : 'processes');
  const [paused, setPaused] = useState(false);
  useEffect(() => onCommand((command) => {
    if (command !== 'pause') return false;
    setPaused((was) => !was);
    return true;
  }), []);
  const always = part === 'processes' || part === 'app';
  const moves = part === 'metrics' || rows || always;
  const tools: ComponentChildren = moves && (isLive(range) || always || (rows && range.kind === 'last')) ? <button type="button" class={paused ? 'quiet pressed' : 'quiet'} aria-pressed={paused} onClick={() => setPaused(!paused)}>{paused ? 'Resume' : 'Pause'} <kbd>space</kbd></button> : undefined;
  return (
    <main id="main" class="observe" tabIndex={-1}>
      <h1 class="sr">Observe</h1>
      <div class="wide parts-bar">
        <nav class="parts" aria-label="Parts of Observe">{PARTS.map(([id, title]) => <Link key={id} to={viewOf('observe', { part: id === 'metrics' ? undefined : id })} current={part === id}>{title}</Link>)}</nav>
        {tools}
      </div>
      {part === 'metrics' ? <MetricsPart range={range} chart={view.query['chart']} paused={paused} /> : undefined}
      {part === 'http' ? <HttpPart range={range} query={view.query} rows={rows} paused={paused} /> : undefined}
      {part === 'app' ? <AppPart range={range} chosen={view.query['app']} paused={paused} /> : undefined}
      {part === 'processes' ? <ProcessesPart chosen={view.query['process']} paused={paused} /> : undefined}
      {part === 'changes' ? <ChangesPart range={range} /> : undefined}
    </main>
  );
}
