// Owns the channels for alerts on the page: where they go, what waits, a test, and a new one.
import { useState } from 'preact/hooks';
import type { Problem } from '../../../shared/api.ts';
import { Channel, type ChannelView } from '../../../shared/alerts.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Empty, Failure, Show } from '../../parts/states.tsx';
import { Ago } from '../../parts/text.tsx';
import { useAsk } from '../../use-ask.ts';

const EVERY_MS = 5_000;
const TYPES = ['webhook', 'email', 'slack', 'teams', 'alertmanager'] as const;

export function ChannelsPart() {
  const asked = useAsk((signal) => diag.alerts({ signal }), [], EVERY_MS);
  const [adding, setAdding] = useState(false);
  return (
    <section class="wide">
      <h2>Alerts <small>where rules tell; addresses and secrets are never shown again</small></h2>
      <div class="rules-tools"><button type="button" class="quiet" onClick={() => setAdding(true)}>New channel</button></div>
      <Show asked={asked} rows={2}>{({ channels, fault }) => <>
        {fault === undefined ? undefined : <p class="rule-wrong">{fault}</p>}
        {channels.length === 0 ? <Empty title="No channel is set up.">A rule that tells needs one: a webhook, e-mail, Slack, Teams or an Alertmanager.</Empty> : <ul class="rules">{channels.map((one) => <Row key={one.id} channel={one} again={asked.again} />)}</ul>}
      </>}</Show>
      {adding ? <NewChannel onClose={() => setAdding(false)} onDone={() => { setAdding(false); asked.again(); }} /> : undefined}
    </section>
  );
}

function Row({ channel, again }: { channel: ChannelView; again: () => void }) {
  const [problem, setProblem] = useState<Problem>();
  const [said, setSaid] = useState('');
  const [sure, setSure] = useState(false);
  const run = (work: () => Promise<unknown>, says: string): void => { setProblem(undefined); setSaid(''); ask(work).then(() => { setSaid(says); again(); }, (error: unknown) => { setProblem(problemOf(error)); }); };
  const params = { channel: channel.id };
  return (
    <li class="rule">
      <div><p><b>{channel.id}</b> {channel.type} to {channel.to === undefined ? channel.host : `${channel.to.join(', ')} by ${channel.host}`}{channel.signed ? ', signed' : ''}{channel.enabled ? '' : ', off'}</p>
        <p class="session-facts">{channel.waiting > 0 ? `${channel.waiting} waiting. ` : ''}{channel.lastAt === undefined ? 'Nothing was sent yet.' : <>Last try <Ago at={channel.lastAt} />: {channel.lastFailed ?? 'taken'}</>}</p>
        {said === '' ? undefined : <p role="status">{said}</p>}{problem ? <Failure problem={problem} /> : undefined}</div>
      <div class="rule-does"><button type="button" class="quiet" aria-label={`Test channel ${channel.id}`} onClick={() => run(() => diag.testAlert({ params }), 'It took the test.')}>Test</button>
        <button type="button" class="quiet danger" aria-label={`${sure ? 'Take away for good' : 'Take away'}: channel ${channel.id}`} onClick={() => (sure ? run(() => diag.deleteAlert({ params }), '') : setSure(true))}>{sure ? 'Take away for good' : 'Take away'}</button></div>
    </li>
  );
}

function NewChannel({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [typed, setTyped] = useState({ id: '', type: 'webhook' as (typeof TYPES)[number], url: '', secret: '', host: '', port: '587', security: 'starttls', user: '', password: '', from: '', to: '' });
  const [problem, setProblem] = useState<Problem>();
  const { id, type, url, secret } = typed;
  const made = Channel.safeParse(type === 'email' ? mailOf(typed) : { id, type, url, ...(type === 'webhook' && secret !== '' ? { secret } : {}) });
  const wrong = made.success ? undefined : `${made.error.issues[0]?.path.join('.')}: ${made.error.issues[0]?.message}`;
  const save = (event: Event): void => {
    event.preventDefault();
    if (made.success) ask(() => diag.putAlert({ params: { channel: id }, body: made.data })).then(onDone, (error: unknown) => { setProblem(problemOf(error)); });
  };
  return (
    <Dialog title="A new channel" onClose={onClose}>
      <form class="fields" onSubmit={save}>
        <label>Id<input type="text" value={id} onInput={(e) => setTyped({ ...typed, id: e.currentTarget.value })} /></label>
        <label>Kind<select value={type} onChange={(e) => setTyped({ ...typed, type: e.currentTarget.value as typeof type })}>{TYPES.map((one) => <option key={one} value={one}>{one}</option>)}</select></label>
        {type === 'email' ? <MailFields typed={typed} type={(patch) => setTyped({ ...typed, ...patch })} /> : <label>Address<input type="text" autocomplete="off" placeholder="https://" value={url} onInput={(e) => setTyped({ ...typed, url: e.currentTarget.value })} /></label>}
        {type === 'webhook' ? <label>Secret that signs what is sent<input type="password" autocomplete="new-password" value={secret} onInput={(e) => setTyped({ ...typed, secret: e.currentTarget.value })} /></label> : undefined}
        <p class={wrong === undefined ? 'rule-says' : 'rule-wrong'} role="status">{wrong ?? 'This channel can be kept.'}</p>
        {problem ? <Failure problem={problem} /> : undefined}
        <div class="form-foot"><button type="button" class="quiet" onClick={onClose}>Cancel</button><button type="submit" class="go" disabled={wrong !== undefined}>Keep the channel</button></div>
      </form>
    </Dialog>
  );
}

interface Mail { readonly id: string; readonly host: string; readonly port: string; readonly security: string; readonly user: string; readonly password: string; readonly from: string; readonly to: string }

function mailOf({ id, host, port, security, user, password, from, to }: Mail): object {
  return { id, type: 'email', host, port: Number(port), security, from, to: to.split(/[\s,;]+/).filter((one) => one !== ''), ...(user === '' ? {} : { user }), ...(password === '' ? {} : { password }) };
}

function MailFields({ typed, type }: { typed: Mail; type: (patch: Partial<Mail>) => void }) {
  const field = (title: string, name: keyof Mail, more: { readonly placeholder?: string } = {}) => <label>{title}<input type="text" autocomplete="off" {...more} value={typed[name]} onInput={(e) => type({ [name]: e.currentTarget.value })} /></label>;
  return (
    <>
      {field('Mail server', 'host', { placeholder: 'smtp.shop.example' })}
      {field('Port', 'port')}
      <label>Encryption<select value={typed.security} onChange={(e) => type({ security: e.currentTarget.value })}><option value="starttls">STARTTLS</option><option value="tls">TLS from the first byte</option><option value="none">none, for a relay inside</option></select></label>
      {field('User', 'user')}
      <label>Password<input type="password" autocomplete="new-password" value={typed.password} onInput={(e) => type({ password: e.currentTarget.value })} /></label>
      {field('From', 'from', { placeholder: 'diag@shop.example' })}
      {field('To, with spaces between', 'to', { placeholder: 'ops@shop.example' })}
    </>
  );
}
