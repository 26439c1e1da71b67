// Owns the five tiles: the article's metrics with their sparkline and the change against an hour ago.
import type { Now } from '../../../shared/model.ts';
import { metric, type MetricId } from '../../../shared/metrics.ts';
import { formatRange } from '../../range.ts';
import { Link, viewOf } from '../../router.tsx';
import { delta, split, value } from '../../words.ts';
import { Spark } from '../../parts/spark.tsx';

/** Series colour of each tile, the same as on Observe. */
const COLOURS: Partial<Record<MetricId, string>> = { 'http.requests': 's1', 'http.response-average': 's2', 'site.cpu-time': 's3', 'site.working-set': 's4', 'site.average-working-set': 's4' };

/** A longer note does not fit beside the number: it takes the line below, or stays on hover. */
const SHORT_NOTE = 22;

export function Tiles({ now }: { now: Now }) {
  const from = now.to - now.stepMs * Math.max(1, ...now.tiles.map((t) => t.points.length));
  const exits = now.changes.filter((c) => (c.kind === 'exit' || c.kind === 'stopped') && c.level === 'critical' && c.at >= from && c.at <= now.to).map((c) => (c.at - from) / (now.to - from));
  return (
    <section class="wide tiles" aria-label="Metrics">
      {now.tiles.map((tile) => {
        const { number, unit } = split(value(tile.metric, tile.value));
        const short = tile.note !== undefined && tile.note.length <= SHORT_NOTE ? tile.note : undefined;
        const change = delta(tile.metric, tile.value, tile.hourAgo);
        return (
          <Link key={tile.metric} class="tile" to={viewOf('observe', { range: formatRange({ kind: 'last', forMs: now.to - now.from }), chart: tile.metric })}>
            <div class="tile-name">{metric(tile.metric).title}</div>
            <div class="v" title={tile.note}>{number} <small>{unit}{short === undefined ? '' : `${unit === '' ? '' : ' · '}${short}`}</small></div>
            <div class={change?.worse ? 'delta up' : 'delta'}>{change?.text ?? (tile.value === undefined ? 'not measured yet' : short === tile.note ? 'nothing an hour ago' : tile.note)}</div>
            <Spark points={tile.points} token={COLOURS[tile.metric] ?? 's1'} marks={exits} />
          </Link>
        );
      })}
    </section>
  );
}
