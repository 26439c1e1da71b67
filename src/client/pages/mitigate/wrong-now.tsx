// Owns what is wrong now, at the head of what can be done about it: the verdict of the last minutes and the newest cause that a session found.
import { diag } from '../../agent.ts';
import { Show } from '../../parts/states.tsx';
import { Ago, Sentence } from '../../parts/text.tsx';
import { Link, viewOf } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';

const EVERY_MS = 5_000;
/** The feed itself is read at most every five minutes. */
const STATUS_EVERY_MS = 60_000;

export function WrongNow() {
  const now = useAsk((signal) => diag.now({ query: { minutes: 5 }, signal }), [], EVERY_MS);
  const sessions = useAsk((signal) => diag.sessions({ signal }), [], EVERY_MS);
  const status = useAsk((signal) => diag.serviceHealth({ signal }), [], STATUS_EVERY_MS);
  const newest = sessions.value?.sessions.find(({ headline, state }) => headline !== undefined && state !== 'running');
  return (
    <section class="wide">
      <h2>What is wrong now <small>the last five minutes</small></h2>
      <Show asked={now} rows={2}>{({ health, verdict, detail }) => <div class={`wrong-now ${health.word}`}><p><b><Sentence text={verdict} /></b></p>{detail.map((line) => <p key={line}><Sentence text={line} /></p>)}</div>}</Show>
      {newest === undefined ? undefined : <p class="session-facts">The newest session, <Ago at={newest.endedAt ?? newest.madeAt} />: <Link to={{ ...viewOf('analyze'), session: newest.id }}><Sentence text={newest.headline ?? ''} /></Link></p>}
      {status.value === undefined || status.value.state === 'off' ? undefined : <p class="session-facts platform-status">{status.value.says.replace(/\.?$/, '.')}{status.value.readAt === undefined ? '' : <> Read <Ago at={status.value.readAt} />{status.value.failed === undefined ? '' : '; the last try failed'}.</>}</p>}
    </section>
  );
}
