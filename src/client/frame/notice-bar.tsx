// Owns the bar below the head that says what is wrong with the page itself: not connected since when, silent, or outdated.
import { useCell } from '../cell.ts';
import { browserClock as clock } from '../clock.ts';
import { link, SILENT_MS } from '../live/index.ts';
import { useTick } from '../parts/text.tsx';
import { ago, time, utcTitle } from '../words.ts';

/** A new connection is given this long before its absence is said: a reload of the agent takes less. */
const QUIET_MS = 1_500;

export function NoticeBar({ live }: { live: boolean }) {
  useTick();
  const live_ = link();
  const state = useCell(live_.state);
  const now = clock.now();
  if (state.outdated !== undefined) {
    return <div class="notice" role="status"><span>The agent is version {state.outdated} now; this page is older.</span><button type="button" class="quiet" onClick={() => location.reload()}>Reload the page</button></div>;
  }
  const away = state.word === 'lost' || (state.word === 'connecting' && now - state.since > SILENT_MS);
  if (away && now - state.since > QUIET_MS) {
    return (
      <div class="notice lost" role="status">
        <span><b>Not connected</b> since <time title={utcTitle(state.since)}>{time(state.since)}</time> ({ago(state.since, now)}). What you see is from then; the page reconnects by itself.</span>
        <button type="button" class="quiet" onClick={() => live_.retry()}>Try now</button>
      </div>
    );
  }
  const lastAt = state.lastAt ?? state.since;
  if (live && state.word === 'open' && now - lastAt > SILENT_MS) {
    return <div class="notice" role="status"><span>The agent is connected but has sent nothing since <time title={utcTitle(lastAt)}>{time(lastAt)}</time> ({ago(lastAt, now)}).</span></div>;
  }
  return null;
}
