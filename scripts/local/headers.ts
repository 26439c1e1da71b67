// Owns the header lines that pass the front end: hop-by-hop ones dropped, the platform's own added.
import { isIP } from 'node:net';

const HOP_BY_HOP = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer',
  'transfer-encoding', 'upgrade',
]);
/** What only the platform may say; a client's own would be believed by the app. */
const PLATFORM = new Set(['x-arr-log-id', 'client-ip', 'disguised-host', 'was-default-hostname', 'x-site-deployment-id', 'x-original-url']);

export interface Passing {
  readonly arrLogId: string;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly url: string;
  readonly host: string | undefined;
  readonly defaultHostname: string;
  readonly site: string;
}

/** Raw header lines (name, value, name, value…) without those that belong to one connection only. */
export function endToEnd(raw: readonly string[]): string[] {
  const named = new Set<string>();
  for (const [name, value] of pairs(raw)) {
    if (name.toLowerCase() === 'connection') for (const word of value.split(',')) named.add(word.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (const [name, value] of pairs(raw)) {
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower) && !named.has(lower)) kept.push(name, value);
  }
  return kept;
}

/** The lines the worker receives. `framing` says how the body is framed: it is hop-by-hop and so made anew. */
export function toWorker(raw: readonly string[], passing: Passing, framing: readonly string[]): string[] {
  const lines: string[] = [];
  const forwarded: string[] = [];
  for (const [name, value] of pairs(endToEnd(raw))) {
    const lower = name.toLowerCase();
    // Node has already answered 100-continue; asking the worker for it again would hold the body back.
    if (PLATFORM.has(lower) || lower === 'expect' || lower === 'x-forwarded-proto') continue;
    if (lower === 'x-forwarded-for') forwarded.push(value);
    else lines.push(name, value);
  }
  const client = `${isIP(passing.clientAddress) === 6 ? `[${passing.clientAddress}]` : passing.clientAddress}:${passing.clientPort}`;
  lines.push('X-Forwarded-For', [...forwarded, client].join(', '));
  lines.push('X-Forwarded-Proto', 'http', 'CLIENT-IP', client, 'X-Original-URL', passing.url, 'X-ARR-LOG-ID', passing.arrLogId);
  lines.push('DISGUISED-HOST', passing.host ?? passing.defaultHostname, 'WAS-DEFAULT-HOSTNAME', passing.defaultHostname);
  lines.push('X-SITE-DEPLOYMENT-ID', passing.site, ...framing);
  return lines;
}

export function* pairs(raw: readonly string[]): Generator<[string, string]> {
  for (let i = 0; i + 1 < raw.length; i += 2) yield [raw[i] ?? '', raw[i + 1] ?? ''];
}
