// Owns the gentle, seeded traffic that makes charts move: mostly healthy, a few 404s, nothing that could harm an app.
import { Agent, request } from 'node:http';
import { seeded } from './seeded.ts';

export interface Visit {
  /** Pause before this request, counted from the one before. */
  readonly afterMs: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  /** Which of a few clients asks; it decides the address and the user agent. */
  readonly client: number;
}

export interface TrafficOptions {
  readonly url: string;
  /** The demo shop's routes; another app is only asked for its start page. */
  readonly shop: boolean;
  readonly signal: AbortSignal;
  readonly seed?: number;
  readonly perSecond?: number;
}

const CLIENTS = 9;
/** Requests under way at once; above it a visit is left out, so a hanging app is not buried. */
const UNDER_WAY = 20;
/** A visitor gives up after this long, as people do; the row then says that the client went. */
const PATIENCE_MS = 60_000;
const BROWSERS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0',
];

const SEARCHES = ['lamp', 'chair', 'desk', 'tea', 'blue', 'wool'];
const MISSING = ['/favicon.ico', '/products/4711', '/apple-touch-icon.png', '/old-catalogue'];

/** The endless list of visits for a seed: always the same one. Arrivals are independent of each other (exponential pauses). */
export function* visits(seed: number, perSecond: number, shop: boolean): Generator<Visit, never> {
  const next = seeded(seed);
  const among = <T>(list: readonly T[], or: T): T => list[Math.floor(next() * list.length)] ?? or;
  for (;;) {
    const afterMs = Math.round((-Math.log(1 - next()) * 1000) / perSecond);
    const client = Math.floor(next() * CLIENTS);
    const dice = next();
    if (!shop || dice < 0.2) yield { afterMs, client, method: 'GET', path: '/' };
    else if (dice < 0.6) yield { afterMs, client, method: 'GET', path: `/products/${1 + Math.floor(next() * 24)}` };
    else if (dice < 0.75) yield { afterMs, client, method: 'GET', path: `/search?q=${among(SEARCHES, 'tea')}` };
    else if (dice < 0.87) yield { afterMs, client, method: 'GET', path: '/cart' };
    else if (dice < 0.96) yield { afterMs, client, method: 'POST', path: '/cart/apply', body: 'code=WELCOME10' };
    else yield { afterMs, client, method: 'GET', path: among(MISSING, '/favicon.ico') };
  }
}

/** Sends visits until aborted. What the site answers, or that it does not, is the log's business: nothing is thrown. */
export function startTraffic({ url, shop, signal, seed = 1, perSecond = 3 }: TrafficOptions): void {
  const plan = visits(seed, perSecond, shop);
  const agent = new Agent({ keepAlive: true, maxFreeSockets: CLIENTS });
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    agent.destroy();
  }, { once: true });

  function send(visit: Visit): void {
    if (underWay >= UNDER_WAY) return;
    underWay += 1;
    const sent = request(new URL(visit.path, url), {
      agent,
      method: visit.method,
      signal,
      timeout: PATIENCE_MS,
      // All of 127/8 is this machine on Linux: visitors then have addresses of their own in the log.
      ...(process.platform === 'linux' ? { localAddress: `127.0.0.${10 + visit.client}` } : {}),
      headers: {
        'User-Agent': BROWSERS[visit.client % BROWSERS.length],
        ...(visit.body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(visit.body) }),
      },
    });
    sent.on('response', (answer) => answer.on('error', () => undefined).resume()); // cut off: logged where it happened
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => undefined); // the same
    sent.on('close', () => { underWay -= 1; });
    sent.end(visit.body);
  }

  function next(): void {
    if (signal.aborted) return;
    const visit = plan.next().value;
    timer = setTimeout(() => {
      send(visit);
      next();
    }, visit.afterMs);
  }
  next();
}
