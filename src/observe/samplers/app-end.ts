// Owns the words for the end of an app: by the note it left, else by how it stood a few seconds before.
import type { AppFailure, AppFlight } from '../../shared/app-link.ts';
import { NO_LAST_WORD } from '../../shared/app-view.ts';
import { maskText } from '../../shared/mask.ts';
import { bytes, duration, percent, plural } from '../../shared/units.ts';
import type { AppEnd } from '../../platform/app-known.ts';
import type { Explanation } from '../errors.ts';

const MAX_DETAIL = 300;
/** V8 ends the process when a collection frees next to nothing near its limit; a second or two before it is a little below. */
const NEAR_LIMIT = 0.9;
/** Below the limit, but collecting all the time: the last reading was before the last growth. */
const HIGH = 0.75;
const COLLECTING = 0.5;
/** Or half full, and growing so fast that it was full before its end was noticed. */
const HALF = 0.5;
const NOTICED_S = 3;
/** Of the limit, in that time: slower growth is not worth a word. */
const GROWS = 0.03;
/** An exception this long before the end may belong to it. */
const SHORTLY_MS = 5_000;
/** What it told longer ago says nothing about its end. */
const OLD_MS = 30_000;

/** Undefined: it ended as it wanted, or nothing is known. */
export function endingOf(end: AppEnd): Explanation | undefined {
  const found = end.crash === undefined ? silent(end) : noted(end.crash);
  return found === undefined ? undefined : { ...found, detail: maskText(found.detail).text.slice(0, MAX_DETAIL) };
}

/** "TypeError: boom, at handler (/home/site/wwwroot/app.js:3:1), while GET /users/{id} was in flight" */
function noted({ failure, exitCode, inFlight }: NonNullable<AppEnd['crash']>): Explanation {
  const parts = failure === undefined ? [`exit code ${exitCode ?? 'unknown'}`] : [...said(failure), ...(failure.route === undefined ? [] : [`while ${failure.route} was in flight`])];
  if (failure?.route === undefined && inFlight !== undefined && inFlight > 0) parts.push(`with ${plural(inFlight, 'request')} in flight`);
  return { detail: parts.join(', '), sure: failure !== undefined };
}

function said({ type, message, frames, sources }: AppFailure): string[] {
  const frame = sources?.[0] ?? frames[0];
  return [`${type}: ${message}`, ...(frame === undefined ? [] : [`at ${frame}`])];
}

/** It had no moment to say anything: killed, aborted, out of heap, or a crash of native code. */
function silent({ at, state, tick, heapGrowth: told = 0 }: AppEnd): Explanation | undefined {
  const heapGrowth = Math.max(told, state?.stall?.heapGrowth ?? 0);
  const seen = [state, tick].flatMap((one) => (one?.heap === undefined ? [] : [{ at: one.at, heap: one.heap, inFlight: one.inFlight, oldest: one.oldest, gcShare: shareOf(one) }])).filter((one) => at - one.at < OLD_MS).sort((a, b) => b.at - a.at);
  const [last] = seen;
  if (last === undefined) return undefined;
  const fullest = seen.find(({ heap, gcShare = 0 }) => isFull(heap, gcShare, heapGrowth));
  const failure = state?.failure !== undefined && Math.abs(at - state.failure.lastAt) < SHORTLY_MS ? state.failure : undefined;
  const flights = [...blocked(state), ...last.inFlight === 0 ? [] : [`${plural(last.inFlight, 'request')} in flight${oldestOf(last.oldest)}`]];
  if (fullest !== undefined) {
    const { heap, gcShare } = fullest;
    const collecting = gcShare === undefined || gcShare < 0.05 ? '' : `, garbage collection took ${percent(Math.round(gcShare * 100))} of the time`;
    const growing = heapGrowth * NOTICED_S < heap.limit * GROWS ? '' : `, ${bytes(heapGrowth)} more each second`;
    return { detail: [`most likely the JavaScript heap was exhausted: ${bytes(heap.used)} of ${bytes(heap.limit)} were used shortly before${growing}${collecting}`, ...flights].join(', '), sure: true };
  }
  const before = failure === undefined ? [] : [`shortly after ${said(failure).join(', ')}`];
  return { detail: [`${NO_LAST_WORD}: killed, aborted or a crash of native code`, ...before, `heap ${bytes(last.heap.used)} of ${bytes(last.heap.limit)} shortly before`, ...flights].join(', '), sure: false };
}

/** "its event loop had been blocked for 4 s in fills (/app.js:3)" */
function blocked(state: AppEnd['state']): string[] {
  if (state?.stall === undefined) return [];
  const { forMs, frames } = state.stall;
  const frame = frames.find((one) => !/\(node:/.test(one)) ?? frames[0];
  return [`its event loop had been blocked for ${duration(Math.round(forMs))}${frame === undefined ? '' : ` in ${frame}`}`];
}

function shareOf(one: object): number | undefined {
  if ('gcShare' in one) return one.gcShare as number | undefined;
  const { gc, forMs } = one as { gc?: readonly (readonly [string, number, number])[]; forMs?: number };
  return gc === undefined || !forMs ? undefined : Math.min(1, gc.reduce((sum, [, , ms]) => sum + ms, 0) / forMs);
}

function isFull({ used, limit }: { readonly used: number; readonly limit: number }, gcShare: number, growth: number): boolean {
  const share = limit === 0 ? 0 : used / limit;
  return share >= NEAR_LIMIT || (share >= HIGH && gcShare >= COLLECTING) || (share >= HALF && (used + growth * NOTICED_S) / limit >= NEAR_LIMIT);
}

function oldestOf(oldest: readonly AppFlight[]): string {
  const [one] = oldest;
  return one === undefined ? '' : `, the oldest ${one.method} ${one.path} for ${duration(Math.round(one.ageMs))}`;
}
