// Owns the dialog about the agent itself: version, what works here and what does not with its remedy, samplers, its store and its counted losses.
import type { AgentInfo, DoctorCheck } from '../../shared/api.ts';
import { bytes, count, duration, plural } from '../../shared/units.ts';
import { diag } from '../agent.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Ago, Time } from '../parts/text.tsx';
import { Empty, Show } from '../parts/states.tsx';
import { useAsk } from '../use-ask.ts';

/** What the doctor found, as the dots of the frame say it. */
const DOTS: Readonly<Record<DoctorCheck['severity'], { readonly dot: string; readonly word: string }>> = {
  critical: { dot: 'failing', word: 'Bad' }, warning: { dot: 'slow', word: 'Warning' }, 'cannot-tell': { dot: 'unknown', word: 'Unknown' }, info: { dot: 'unknown', word: 'Note' }, good: { dot: 'healthy', word: 'Good' },
};

const STATES = { good: 'good', failing: 'failing', waiting: 'waiting' } as const;

export function AgentDialog({ info, onClose }: { info: AgentInfo | undefined; onClose: () => void }) {
  return (
    <Dialog title="The agent" onClose={onClose} wide>
      {info === undefined ? <Empty title="The agent has not answered yet.">The page asks again every 15 s.</Empty> : <AgentFacts info={info} />}
    </Dialog>
  );
}

function AgentFacts({ info }: { info: AgentInfo }) {
  const { app, store } = info;
  return <>
    <dl class="facts">
      <div><dt>Version</dt><dd>{info.version}, started <Ago at={info.startedAt} /></dd></div>
      <div><dt>Site</dt><dd>{app.site}{app.hostName === undefined ? '' : ` (${app.hostName})`}</dd></div>
      <div><dt>Instance</dt><dd><code>{app.instance}</code> on {app.machine}, {app.os}{app.plan === undefined ? '' : `, ${app.plan}`}{app.runtime === undefined ? '' : `, ${app.runtime}`}</dd></div>
      <div><dt>History on disk</dt><dd>{bytes(store.usedBytes)} of at most {bytes(store.limitBytes)}{store.freeBytes === undefined ? '' : `; ${bytes(store.freeBytes)} free on the disk`}</dd></div>
    </dl>
    <h3>What works here</h3>
    <DoctorFacts />
    <h3>Samplers</h3>
    <table class="rows"><thead><tr><th>What</th><th>State</th><th>Last</th><th class="num">Cost</th></tr></thead><tbody>
      {info.samplers.map((s) => <tr key={s.id}><td>{s.id}</td><td class={s.state === 'failing' ? 'bad' : ''}>{STATES[s.state]}{s.error === undefined ? '' : `: ${s.error}`}</td><td>{s.lastAt === undefined ? '–' : <Time at={s.lastAt} />}</td><td class="num">{s.costMs === undefined ? '–' : duration(s.costMs)}</td></tr>)}
    </tbody></table>
    <h3>Lost</h3>
    {info.lost.every((l) => l.count === 0) ? <p class="note">Nothing was lost in any bounded buffer.</p> : <ul class="plain-list">{info.lost.filter((l) => l.count > 0).map((l) => <li key={l.what}>{count(l.count)} {l.what}</li>)}</ul>}
  </>;
}

/** Looked at when the dialog opens: a look writes a small file to the home. */
function DoctorFacts() {
  const asked = useAsk((signal) => diag.doctor({ signal }), []);
  return (
    <Show asked={asked} rows={4}>{({ checks }) => {
      const off = checks.filter((c) => c.severity !== 'good');
      const good = checks.filter((c) => c.severity === 'good');
      return <>
        {off.length === 0 ? <p class="note">Everything that was looked at is as it should be.</p> : <ul class="checks">{off.map((c) => <CheckRow key={c.id} check={c} />)}</ul>}
        {good.length === 0 ? undefined : <details class="note"><summary>{plural(good.length, 'thing')} as they should be</summary><ul class="checks">{good.map((c) => <CheckRow key={c.id} check={c} />)}</ul></details>}
      </>;
    }}</Show>
  );
}

function CheckRow({ check: { title, severity, says, remedy } }: { check: DoctorCheck }) {
  const { dot, word } = DOTS[severity];
  return <li><span class={`dot ${dot}`} aria-hidden="true" /><span><b>{title}</b> <span class="sr">{word}: </span>{says}{remedy === undefined || severity === 'good' ? undefined : <span class="remedy"> {remedy}</span>}</span></li>;
}
