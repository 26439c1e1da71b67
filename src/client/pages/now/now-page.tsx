// Owns the landing page: one screen that answers "what is wrong?", from the newest `now` the agent sent.
import { useEffect, useState } from 'preact/hooks';
import type { Now } from '../../../shared/model.ts';
import { diag, health } from '../../agent.ts';
import type { PageProps } from '../../frame/app.tsx';
import { useFollow } from '../../live/index.ts';
import { Failure } from '../../parts/states.tsx';
import { rangeOf } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { Changes } from './changes.tsx';
import { Errors } from './errors.tsx';
import { Failed } from './failed.tsx';
import { NowLoading } from './now-loading.tsx';
import { Requests } from './requests.tsx';
import { Tiles } from './tiles.tsx';
import { Verdict } from './verdict.tsx';

/** Now looks back an hour at most; longer ranges are a question for Observe. */
const LONGEST_MINUTES = 60;

export function NowPage({ view, open }: PageProps) {
  const range = rangeOf(view);
  const wantedMs = range.kind === 'last' ? range.forMs : 300_000;
  const minutes = Math.min(LONGEST_MINUTES, Math.max(1, Math.round(wantedMs / 60_000)));
  const asked = useAsk((signal) => diag.now({ query: { minutes }, signal }), [minutes]);
  const [live, setLive] = useState<{ minutes: number; now: Now }>();
  useFollow(() => ({ type: 'follow', topic: 'now', minutes }), (message) => { if (message.type === 'now') setLive({ minutes, now: message.now }); }, [minutes]);
  const sent = live?.minutes === minutes ? live.now : undefined;
  const now = newest(asked.value, sent);
  useEffect(() => { if (now) health.set(now.health); }, [now]);
  const cut = range.kind === 'between' ? 'Now always shows the present; the chosen range applies on Observe.' : wantedMs > LONGEST_MINUTES * 60_000 ? 'Now looks back one hour; the longer range applies on Observe.' : undefined;
  return (
    <main id="main" class="now" tabIndex={-1}>
      {now ? undefined : <h1 class="sr">Now</h1>}
      {asked.problem && !now ? <section class="wide"><Failure problem={asked.problem} again={asked.again} /></section> : undefined}
      {cut === undefined ? undefined : <p class="wide page-note">{cut}</p>}
      {now ? <>
        <Verdict now={now} onDiagnose={() => open('diagnose')} />
        <Tiles now={now} />
        <Requests now={now} />
        <Failed now={now} />
        <Changes now={now} />
        <Errors now={now} />
      </> : asked.problem ? undefined : <NowLoading />}
    </main>
  );
}

function newest(a: Now | undefined, b: Now | undefined): Now | undefined {
  if (!a || !b) return a ?? b;
  return b.at >= a.at ? b : a;
}
