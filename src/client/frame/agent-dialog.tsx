// Owns the dialog about the agent itself: version, samplers, what it cannot do here and why, its store and its counted losses.
import type { AgentInfo } from '../../shared/api.ts';
import { bytes, count, duration } from '../../shared/units.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Ago, Time } from '../parts/text.tsx';
import { Empty } from '../parts/states.tsx';

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
  const missing = info.capabilities.filter((c) => !c.offer.yes);
  return <>
    <dl class="facts">
      <div><dt>Version</dt><dd>{info.version}, started <Ago at={info.startedAt} /></dd></div>
      <div><dt>Site</dt><dd>{app.site}{app.hostName === undefined ? '' : ` (${app.hostName})`}</dd></div>
      <div><dt>Instance</dt><dd><code>{app.instance}</code> on {app.machine}, {app.os}{app.plan === undefined ? '' : `, ${app.plan}`}{app.runtime === undefined ? '' : `, ${app.runtime}`}</dd></div>
      <div><dt>History on disk</dt><dd>{bytes(store.usedBytes)} of at most {bytes(store.limitBytes)}{store.freeBytes === undefined ? '' : `; ${bytes(store.freeBytes)} free on the disk`}</dd></div>
    </dl>
    <h3>Samplers</h3>
    <table class="rows"><thead><tr><th>What</th><th>State</th><th>Last</th><th class="num">Cost</th></tr></thead><tbody>
      {info.samplers.map((s) => <tr key={s.id}><td>{s.id}</td><td class={s.state === 'failing' ? 'bad' : ''}>{STATES[s.state]}{s.error === undefined ? '' : `: ${s.error}`}</td><td>{s.lastAt === undefined ? '–' : <Time at={s.lastAt} />}</td><td class="num">{s.costMs === undefined ? '–' : duration(s.costMs)}</td></tr>)}
    </tbody></table>
    <h3>Not possible here</h3>
    {missing.length === 0 ? <p class="note">Everything this agent knows is possible on this machine.</p> : <ul class="plain-list">{missing.map((c) => <li key={c.id}><b>{c.id}</b> {c.offer.because}</li>)}</ul>}
    <h3>Lost</h3>
    {info.lost.every((l) => l.count === 0) ? <p class="note">Nothing was lost in any bounded buffer.</p> : <ul class="plain-list">{info.lost.filter((l) => l.count > 0).map((l) => <li key={l.what}>{count(l.count)} {l.what}</li>)}</ul>}
  </>;
}
