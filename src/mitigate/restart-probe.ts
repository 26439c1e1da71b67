// Owns the question whether an instance is well after a restart: asked by the site's public name, bound to that instance by the front end's own cookie.
import { DiagError, sayError } from '../shared/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { within } from '../platform/clock.ts';
import { askWeb, type WebPolicy } from './web.ts';

/** A start takes its time: a first answer within two minutes, App Service's own start limit for a worker. */
const LIMIT_MS = 120_000;
const ASK_MS = 20_000;
const AGAIN_MS = 1_000;
/** One good answer may be another instance's or a lucky one. */
const GOOD_IN_A_ROW = 2;

export interface ProbeGiven {
  /** https://name; undefined: nobody has told it. */
  readonly origin: string | undefined;
  /** The whole WEBSITE_INSTANCE_ID: what the front end's cookie names. Where affinity is off it is not obeyed, and any instance may answer. */
  readonly affinity: string | undefined;
  readonly policy: WebPolicy;
  readonly clock: Pick<Clock, 'wait' | 'monotonic'>;
  readonly limitMs?: number;
}

/** @throws WEB_FAILED with the last answer when it is not well in time, CANCELLED */
export async function awaitHealthy({ origin, affinity, policy, clock, limitMs = LIMIT_MS }: ProbeGiven, path: string, signal: AbortSignal): Promise<string> {
  if (origin === undefined) throw new DiagError('WEB_FAILED', { host: 'the site', why: 'its public name is not known here; DIAG_SITE_URL can tell it' });
  const headers = affinity === undefined || !/^[0-9a-f]{6,64}$/i.test(affinity) ? {} : { cookie: `ARRAffinity=${affinity}; ARRAffinitySameSite=${affinity}` };
  const until = clock.monotonic() + limitMs;
  const from = clock.monotonic();
  let good = 0, last = 'it was not asked yet';
  for (;;) {
    try {
      const { status, tookMs } = await askWeb({ method: 'GET', url: `${origin}${path}`, headers, limitMs: ASK_MS }, policy, within(ASK_MS, signal));
      good = status < 400 ? good + 1 : 0;
      last = `${path} answered ${status} in ${tookMs} ms`;
    } catch (error) {
      if (signal.aborted || (error instanceof DiagError && error.code === 'ADDRESS_REFUSED')) throw error;
      good = 0;
      last = sayError(error);
    }
    if (good >= GOOD_IN_A_ROW) return last;
    if (clock.monotonic() > until) throw new DiagError('WEB_FAILED', { host: new URL(origin).host, why: `it was not well ${Math.round((clock.monotonic() - from) / 1_000)} s after the restart: ${last}` });
    await clock.wait(AGAIN_MS, signal);
  }
}
