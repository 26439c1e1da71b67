// Owns the verdict: one sentence with the number in it, what stands behind it, and the one button.
import { useRef } from 'preact/hooks';
import type { Now } from '../../../shared/model.ts';
import { diag } from '../../agent.ts';
import { useAsk } from '../../use-ask.ts';
import { costOf } from '../../parts/diagnose-cost.ts';
import { Sentence } from '../../parts/text.tsx';
import { formatRange } from '../../range.ts';
import { Link, viewOf } from '../../router.tsx';

export function Verdict({ now, onDiagnose }: { now: Now; onDiagnose: () => void }) {
  const offered = useAsk((signal) => diag.diagnosers({ signal }), []);
  // Read aloud when the health changes, not with every new count.
  const spoken = useRef({ word: now.health.word, text: now.verdict });
  if (spoken.current.word !== now.health.word) spoken.current = { word: now.health.word, text: now.verdict };
  const window = formatRange({ kind: 'between', from: now.from, to: now.to });
  return (
    <section class={`wide verdict ${now.health.word}`} aria-labelledby="verdict">
      <div class="said">
        <h1 id="verdict"><Sentence text={now.verdict} /></h1>
        {now.detail.length > 0 ? <p><Sentence text={now.detail.join(' ')} /></p> : undefined}
        {now.checked.length > 0 && now.health.word !== 'failing' ? <p class="checked">Checked: {now.checked.join(' · ')}</p> : undefined}
        {now.requests.failed > 0 ? <p class="proof"><Link to={viewOf('observe', { range: window, part: 'requests', filter: 'failed' })}>The {now.requests.failed === 1 ? 'one failed request' : `${now.requests.failed} failed requests`}</Link> · <Link to={viewOf('observe', { range: window, part: 'http' })}>by status and route</Link></p> : undefined}
      </div>
      <div class="act">
        <button type="button" class="go" onClick={onDiagnose}>Diagnose now <kbd>d</kbd></button>
        <small>{offered.value ? costOf(offered.value.diagnosers.filter((d) => d.preselected && d.offer.yes)) : 'collects, analyzes, writes a report'}</small>
      </div>
      <p class="sr" aria-live="polite">{spoken.current.text}</p>
    </section>
  );
}
