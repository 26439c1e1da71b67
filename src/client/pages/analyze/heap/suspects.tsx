// Owns the leak suspects: who holds, where in the source, how much, and the way that keeps it alive, one open at a time.
import type { HeapReport, HeapStep } from '../../../../shared/heap.ts';
import { bytes, count, percent } from '../../../../shared/units.ts';
import { visible } from '../../../../shared/view.ts';
import { Sentence } from '../../../parts/text.tsx';

const SHOWN = 8;
const NAME_CHARS = 120;

export function Suspects({ report }: { report: HeapReport }) {
  if (report.suspects.length === 0) return null;
  return (
    <section class="suspects">
      <h2>Suspects <small>{report.growth === undefined ? 'what holds most' : 'what grew between the snapshots'}</small></h2>
      {report.suspects.slice(0, SHOWN).map((one, i) => (
        <details key={one.id} open={i === 0}>
          <summary><b><Sentence text={one.title} /></b> <span class="num">{bytes(one.bytes)} · {percent(one.share * 100)}</span></summary>
          <p class="session-facts">{one.place === undefined ? 'Its place in the source is not in the snapshot.' : <><code>{visible(one.place.script)}:{one.place.line}</code>{one.exact ? '' : ' is the function or class that sees it'}</>} · object @{one.id}{one.count > 0 ? ` · ${count(one.count)}${one.what === undefined ? '' : ` ${visible(one.what).slice(0, NAME_CHARS)}`}` : ''} · retains {bytes(one.retained)}{one.made === undefined ? '' : <> · made in <code>{visible(one.made.name).slice(0, NAME_CHARS) || 'a function'}</code> <code>{visible(one.made.place.script)}:{one.made.place.line}</code></>}</p>
          <Way path={one.path} />
        </details>
      ))}
    </section>
  );
}

/** From the root down, as the source names each reference. */
export function Way({ path }: { path: readonly HeapStep[] }) {
  if (path.length === 0) return <p class="session-facts">No way from a root was found.</p>;
  return <ol class="frames way" tabIndex={0} aria-label="The way that keeps it alive">{path.map((step, i) => <li key={i}>{step.edge === '' ? undefined : <><b>{visible(step.edge).slice(0, NAME_CHARS)}</b> <i>{step.type}</i> → </>}<span>{visible(step.node).slice(0, NAME_CHARS)} @{step.id}</span></li>)}</ol>;
}
