// Owns the error log of nginx: what each line says of one request that the front could not get answered.
import { routeOf } from '../../observe/http-log/route.ts';
import type { Effect } from './effect.ts';

export interface FrontLine {
  readonly at: number;
  readonly effect: Effect;
  readonly method: string;
  readonly route: string;
  readonly client: string | undefined;
  readonly upstream: string | undefined;                       // "127.0.0.1:3000", "unix:/run/php.sock"
  readonly text: string;
  readonly where: string;
}

const LINE = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d) \[\w+\] \d+#\d+: (?:\*\d+ )?(.*)$/s;

/** The part of nginx's line behind its head; undefined for a line of anyone else. */
export function frontText(text: string): { readonly at: number; readonly text: string } | undefined {
  const found = LINE.exec(text.slice(0, 4_000));
  if (!found) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  return { at: Date.UTC(year, month - 1, day, hour, minute, second), text: found[7] ?? '' };
}

/** What a line says happened between nginx and its upstream; the order matters: a refused socket is told by its number. */
const SAYS: readonly (readonly [RegExp, Effect])[] = [
  [/connect\(\)[^,]{0,120}\(11: |\(EAGAIN\)|no free connections|limiting connections/i, 'busy'],
  [/connect\(\)[^,]{0,120}(?:\(111: |\(2: |\(13: \(113: |\(61: |\(10061: |refused)|no live upstreams|no servers are inside/i, 'refused'],
  // Nobody took the connection: no answer was waited for yet.
  [/timed out[^,]{0,80} while connecting to upstream/i, 'refused'],
  [/timed out|\(110: |\(60: |\(10060: /i, 'silent'],
  [/upstream sent (?:invalid|too big|duplicate|no valid|unsupported|unexpected)/i, 'invalid'],
  [/prematurely closed|recv\(\) failed|reset by peer|\(104: |\(32: |\(10054: |send\(\) failed|writev\(\) failed|closed connection/i, 'broke'],
  [/could not be resolved|host not found|no resolver/i, 'unnamed'],
];

/** The request that a line is about; undefined for lines about no request to an upstream (a client that went, a file that is missing). */
export function frontLine(text: string, where: string): FrontLine | undefined {
  const line = frontText(text);
  if (!line || !/\bupstream\b/.test(line.text)) return undefined;
  const effect = SAYS.find(([pattern]) => pattern.test(line.text))?.[1];
  const request = /request: "([A-Z]{3,16}) (\S{1,2000}) HTTP\/[\d.]+"/.exec(line.text);
  if (effect === undefined || !request) return undefined;
  const upstream = /upstream: "(?:\w+:\/\/)?(unix:[^":]+|[^"/]+)/.exec(line.text)?.[1];
  return { at: line.at, effect, method: request[1] ?? '-', route: routeOf((request[2] ?? '/').split('?')[0] ?? '/'), client: /client: ([^,\s]{1,64})/.exec(line.text)?.[1], upstream, text: line.text.slice(0, 300), where };
}
