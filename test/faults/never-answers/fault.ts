// Owns the faults of answers that come later than a limit allows; the log carries the time, nobody waits for it.
import type { LocalFault } from '../lab/fault.ts';

const SHORT_MS = 1_200;
const QUIET = { minutes: 10, routes: [{ path: '/', takenMs: 7, everyMs: 900 }] };
const stretched = (toMs: number) => (fields: Record<string, string>): void => {
  const taken = Number(fields['time-taken']);
  if (taken >= SHORT_MS) fields['time-taken'] = String(toMs + taken - SHORT_MS);
};

export const handlerTimeLimit: LocalFault = {
  name: 'handler-time-limit', cause: 'handler-time-limit', front: 'local', app: 'never-answers', about: 'the handler gives up after its limit: 502.3/12002, told as 120 s', limits: { handlerLimitMs: SHORT_MS }, history: QUIET,
  row: stretched(120_000), run: (site) => site.load({ paths: ['/', '/', '/export'], everyMs: 100, forMs: 3_000 }),
};

export const platformTimeLimit: LocalFault = {
  name: 'platform-time-limit', cause: 'platform-time-limit', front: 'local', app: 'never-answers', about: 'the front gives up after its limit: 500.121, told as 230 s', limits: { handlerLimitMs: 60_000, requestLimitMs: SHORT_MS }, history: QUIET,
  row: stretched(230_000), run: (site) => site.load({ paths: ['/', '/', '/export'], everyMs: 100, forMs: 3_000 }),
};
