// Owns the panels of the loop and the heap: delays, the longest stall with its stack, spaces, collections by kind, what keeps the loop alive.
import type { AppBrief, AppInside, AppStallView } from '../../../shared/app-view.ts';
import { bytes, count, duration, plural } from '../../../shared/units.ts';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { ms, shareOf } from './app-words.ts';

const STALLS_SHOWN = 5;
const RESOURCES_SHOWN = 10;
const HEAPS_SHOWN = 8;

export function LoopPanel({ inside }: { inside: AppInside }) {
  const { loop, stalls } = inside;
  const longest = [...stalls].sort((a, b) => b.forMs - a.forMs).slice(0, STALLS_SHOWN);
  return (
    <section class="app-panel"><h2>Event loop <small>of the last {duration(inside.coversMs)}</small></h2>
      {loop === undefined ? <Empty title="Not measured yet.">The first second is not over.</Empty> : <>
        <dl class="app-facts">
          <div><dt>Delay p50</dt><dd>{ms(loop.p50Ms)}</dd></div><div><dt>p99, worst second</dt><dd>{ms(loop.p99Ms)}</dd></div>
          <div><dt>Longest</dt><dd class={loop.maxMs >= 200 ? 'bad' : ''}>{ms(loop.maxMs)}</dd></div><div><dt>Busy</dt><dd class={loop.utilization >= 0.9 ? 'bad' : ''}>{shareOf(loop.utilization)}</dd></div>
        </dl>
        {longest.length === 0 ? <p class="app-note">No stall of 200 ms or more.</p> : <ol class="app-stalls" aria-label="Longest stalls">{longest.map((stall) => <Stall key={`${stall.pid ?? ''} ${stall.at}`} stall={stall} />)}</ol>}
      </>}
    </section>
  );
}

function Stall({ stall }: { stall: AppStallView }) {
  const [top, ...rest] = stall.frames;
  return (
    <li><p><b>{duration(stall.forMs)}</b> until <Time at={stall.at} />{stall.pid === undefined ? '' : `, process ${stall.pid}`}{top === undefined ? <small> no stack: the sampler starts with the first stall</small> : undefined}</p>
      {top === undefined ? undefined : rest.length === 0 ? <code>{top}</code> : <details><summary><code>{top}</code></summary>{rest.map((frame, i) => <code key={i}>{frame}</code>)}</details>}
    </li>
  );
}

export function HeapPanel({ inside, process, apps }: { inside: AppInside; process: AppBrief | undefined; apps: readonly AppBrief[] }) {
  if (process === undefined) return <Heaps apps={apps} />;
  const { heap } = process;
  return (
    <section class="app-panel"><h2>Heap <small>of V8, by space</small></h2>
      {heap === undefined ? undefined : <>
        <dl class="app-facts">
          <div><dt>Used</dt><dd class={heap.limit > 0 && heap.used / heap.limit >= 0.9 ? 'bad' : ''}>{bytes(heap.used)}</dd></div><div><dt>Limit</dt><dd>{bytes(heap.limit)}</dd></div>
          <div><dt>External</dt><dd>{bytes(heap.external)}</dd></div><div><dt>Array buffers</dt><dd>{bytes(heap.arrayBuffers)}</dd></div><div><dt>Memory</dt><dd>{bytes(heap.rss)}</dd></div>
        </dl>
      </>}
      {inside.spaces.length === 0 ? undefined : <table class="rows"><thead><tr><th>Space</th><th class="num">Used</th><th class="num">Size</th></tr></thead><tbody>
        {inside.spaces.filter(([, , size]) => size > 0).map(([name, used, size]) => <tr key={name}><td>{name.replaceAll('_', ' ')}</td><td class="num">{bytes(used)}</td><td class="num">{bytes(size)}</td></tr>)}
      </tbody></table>}
      {heap === undefined ? <Empty title="Not measured yet." /> : undefined}
    </section>
  );
}

/** Of several processes each has its own limit: they do not add up. */
function Heaps({ apps }: { apps: readonly AppBrief[] }) {
  const living = apps.filter(({ state, heap }) => state !== 'ended' && heap !== undefined).sort((a, b) => fullness(b) - fullness(a));
  return (
    <section class="app-panel"><h2>Heap <small>each process has its own, the fullest first</small></h2>
      {living.length === 0 ? <Empty title="Not measured yet." /> : <table class="rows"><thead><tr><th class="num">Process</th><th class="num">Used</th><th class="num">Limit</th><th class="num">Share</th></tr></thead><tbody>
        {living.slice(0, HEAPS_SHOWN).map((app) => <tr key={`${app.pid}:${app.startedAt}`}><td class="num">{app.pid}</td><td class="num">{bytes(app.heap?.used ?? NaN)}</td><td class="num">{bytes(app.heap?.limit ?? NaN)}</td><td class={fullness(app) >= 0.9 ? 'num bad' : 'num'}>{shareOf(fullness(app))}</td></tr>)}
        {living.length > HEAPS_SHOWN ? <tr><td class="absent" colSpan={4}>{plural(living.length - HEAPS_SHOWN, 'more process', 'more processes')}</td></tr> : undefined}
      </tbody></table>}
    </section>
  );
}

const fullness = ({ heap }: AppBrief): number => (heap === undefined || heap.limit === 0 ? 0 : heap.used / heap.limit);

export function GcPanel({ inside }: { inside: AppInside }) {
  return (
    <section class="app-panel"><h2>Garbage collection <small>by kind, of the last {duration(inside.coversMs)}</small></h2>
      {inside.gc.length === 0 ? <Empty title="None was needed." /> : <table class="rows"><thead><tr><th>Kind</th><th class="num">Times</th><th class="num">Together</th><th class="num">Share</th></tr></thead><tbody>
        {inside.gc.map(({ kind, count: times, ms: forMs, share }) => <tr key={kind}><td>{kind}</td><td class="num">{count(times)}</td><td class="num">{ms(forMs)}</td><td class={share !== undefined && share >= 0.1 ? 'num bad' : 'num'}>{shareOf(share)}</td></tr>)}
      </tbody></table>}
      <h3 class="app-sub">What keeps the loop alive</h3>
      {inside.resources.length === 0 ? <p class="app-note">Not told yet.</p> : <table class="rows"><tbody>
        {inside.resources.slice(0, RESOURCES_SHOWN).map(([type, times]) => <tr key={type}><td>{type}</td><td class="num">{count(times)}</td></tr>)}
        {inside.resources.length > RESOURCES_SHOWN ? <tr><td class="absent">{plural(inside.resources.length - RESOURCES_SHOWN, 'more type')}</td><td /></tr> : undefined}
      </tbody></table>}
    </section>
  );
}
