// Owns small pieces of text: an instant with UTC on hover, "ago" that ticks, code inside a sentence, keys.
import { useEffect } from 'preact/hooks';
import { agentNow } from '../agent.ts';
import { cell, useCell } from '../cell.ts';
import { browserClock as clock } from '../clock.ts';
import { ago, dayTime, inline, shortTime, time, timeMs, utcTitle } from '../words.ts';

/** Counts seconds while anything on the page says "ago". */
const tick = cell(0);
let tellers = 0;
let stop: (() => void) | undefined;

export function useTick(): number {
  useEffect(() => {
    tellers += 1;
    stop ??= clock.every(1_000, () => tick.set(tick.get() + 1));
    return () => {
      tellers -= 1;
      if (tellers === 0) { stop?.(); stop = undefined; }
    };
  }, []);
  return useCell(tick);
}

const FORMS = { time, ms: timeMs, day: dayTime, short: (at: number) => shortTime(at, agentNow()) } as const;
export function Time({ at, form = 'time' }: { at: number; form?: keyof typeof FORMS }) {
  return <time dateTime={new Date(at).toISOString()} title={utcTitle(at)}>{FORMS[form](at)}</time>;
}

export function Ago({ at }: { at: number }) {
  useTick();
  return <time dateTime={new Date(at).toISOString()} title={utcTitle(at)}>{ago(at, agentNow())}</time>;
}

/** A sentence with its `code` parts in the mono face; everything is text. */
export function Sentence({ text }: { text: string }) {
  return <>{inline(text).map((part, i) => (part.code ? <code key={i}>{part.text}</code> : part.text))}</>;
}

export const Key = ({ name }: { name: string }) => <>{name.split('  ').map((one, i) => <kbd key={i}>{one}</kbd>)}</>;
