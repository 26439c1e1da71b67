// Owns what can be asked of a preload from the page, each with its cost: to follow requests, to count handled exceptions, to watch for the heap's limit.
import { useState } from 'preact/hooks';
import type { AppAsking, AppBrief, AppInside } from '../../../shared/app-view.ts';
import type { Problem } from '../../../shared/api.ts';
import { duration, percent } from '../../../shared/units.ts';
import { agentNow, ask, diag, problemOf } from '../../agent.ts';
import { Menu } from '../../parts/menu.tsx';
import { Failure } from '../../parts/states.tsx';
import { useTick } from '../../parts/text.tsx';

const FOLLOW_S = 60;
const CATCH_S = 300;
/** Later there is no room left for what V8 needs to write it. */
const WATCH_AT = 0.85;
const ARTIFACTS = [{ word: 'none', title: 'Nothing' }, { word: 'heap-profile', title: 'Heap profile: who allocates, costs next to nothing' }, { word: 'report', title: 'Diagnostic report: stack and heap, about 10 ms' }, { word: 'heap-snapshot', title: 'Heap snapshot: all objects, stops the app for seconds' }] as const;
type Artifact = (typeof ARTIFACTS)[number]['word'];

export function AppAsks({ process, inside }: { process: AppBrief; inside: AppInside }) {
  useTick();
  const [problem, setProblem] = useState<Problem>();
  const [asking, setAsking] = useState(false);
  const send = (body: AppAsking): void => {
    setAsking(true);
    setProblem(undefined);
    ask(() => diag.askApp({ params: { pid: process.pid }, body })).catch((error: unknown) => { setProblem(problemOf(error)); }).finally(() => setAsking(false));
  };
  const left = (until: number | undefined): string | undefined => (until === undefined || until <= agentNow() ? undefined : duration(Math.ceil((until - agentNow()) / 1_000) * 1_000));
  const following = left(inside.following?.until);
  const catching = left(inside.catching?.until);
  const { watch } = process;
  const chosen = ARTIFACTS.find(({ word }) => word === (watch?.taken === true ? 'none' : watch?.artifact)) ?? ARTIFACTS[0];
  const words = `Before the heap is full: ${chosen.word === 'none' ? 'nothing' : (chosen.title.split(':')[0] ?? '').toLowerCase()}`;
  return (
    <section class="wide app-asks" aria-label="Ask the app">
      <div><button type="button" class="quiet" disabled={asking} aria-pressed={following !== undefined} onClick={() => send({ what: 'follow', forSeconds: following === undefined ? FOLLOW_S : 0 })}>{following === undefined ? 'See what requests wait for' : `Stop following (${following})`}</button><small>slows the app by some percent for a minute</small></div>
      <div><button type="button" class="quiet" disabled={asking} aria-pressed={catching !== undefined} onClick={() => send({ what: 'exceptions', forSeconds: catching === undefined ? CATCH_S : 0 })}>{catching === undefined ? 'Count handled exceptions' : `Stop counting (${catching})`}</button><small>costs some 50 µs for each that is thrown, for five minutes</small></div>
      <div><Menu label={words} button={words} chosen={chosen.word} choices={ARTIFACTS.map(({ word, title }) => ({ word, title }))} onChoose={(word) => send({ what: 'watch', artifact: word as Artifact, atShare: WATCH_AT })} /><small>{watch === undefined ? `once, at ${percent(WATCH_AT * 100)} of its limit; off` : watch.taken ? 'taken: Diagnose now with “What a heap watch took” fetches it, within an hour' : `once, at ${percent(watch.atShare * 100)} of its limit`}</small></div>
      {problem === undefined ? undefined : <Failure problem={problem} />}
    </section>
  );
}
