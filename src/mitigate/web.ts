// Owns requests to addresses that users name: resolved and checked before the connection, no redirects, bounded answer, bounded time.
import { lookup } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP } from 'node:net';
import { DiagError, sayError } from '../shared/errors.ts';
import { within } from '../platform/clock.ts';
import { OWN_USER_AGENT } from '../observe/http-log/rows.ts';

/** What is read of an answer: for the words of a refusal. */
const MAX_ANSWER_BYTES = 16_384;
const MAX_URL_CHARS = 2_000;

export interface WebPolicy { readonly allowLoopback: boolean }
export interface WebAsk { readonly method: 'GET' | 'POST'; readonly url: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string; readonly limitMs: number; readonly maxBytes?: number }
export interface WebAnswer { readonly status: number; readonly text: string; readonly tookMs: number }

/** Where an instance's metadata, its host's own services and its neighbours on the link answer: 169.254/16 and fe80::/10; 168.63.129.16 is Azure's own; the others are those of further clouds. */
const REFUSED = new BlockList();
for (const [net, bits] of [['169.254.0.0', 16], ['0.0.0.0', 8], ['224.0.0.0', 4], ['240.0.0.0', 4], ['168.63.129.16', 32], ['100.100.100.200', 32], ['192.0.0.192', 32]] as const) REFUSED.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [['fe80::', 10], ['ff00::', 8], ['::', 128], ['fd00:ec2::254', 128], ['fd20:ce::254', 128]] as const) REFUSED.addSubnet(net, bits, 'ipv6');
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Why this address is not asked; undefined: it may be. An IPv4 address in the clothes of IPv6 is judged as what it is. */
export function refusedAddress(address: string, policy: WebPolicy): string | undefined {
  const plain = unmapped(address);
  const family = isIP(plain) === 4 ? 'ipv4' : 'ipv6';
  if (isIP(plain) === 0) return 'it is no address';
  if (REFUSED.check(plain, family)) return `${plain} is link-local, the instance's metadata or no host's address`;
  if (!policy.allowLoopback && LOOPBACK.check(plain, family)) return `${plain} is this machine itself`;
  return undefined;
}

/** ::ffff:a.b.c.d, ::ffff:hhhh:hhhh, ::a.b.c.d and the two prefixes of translation (64:ff9b::/96, 2002::/16) lead to an IPv4 address. */
function unmapped(address: string): string {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  const words = wordsOf(bare);
  const v4 = (high: number, low: number): string => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  const zeros = words.slice(0, 5).every((word) => word === 0);
  if (zeros && (words[5] === 0xffff || (words[5] === 0 && (words[6] as number) > 0))) return v4(words[6] as number, words[7] as number);
  if (words[0] === 0x64 && words[1] === 0xff9b && words.slice(2, 6).every((word) => word === 0)) return v4(words[6] as number, words[7] as number);
  return words[0] === 0x2002 ? v4(words[1] as number, words[2] as number) : bare;
}

function wordsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text = dotted === null ? address : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [front = '', back] = text.split('::');
  const parse = (part: string): number[] => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const head = parse(front), tail = back === undefined ? [] : parse(back);
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

/** @throws ADDRESS_REFUSED for what is no plain http(s) address */
export function checkedUrl(text: string): URL {
  const host = text.slice(0, 100);
  if (text.length > MAX_URL_CHARS || !URL.canParse(text)) throw new DiagError('ADDRESS_REFUSED', { host, why: 'it is no address that can be read' });
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new DiagError('ADDRESS_REFUSED', { host: url.protocol, why: 'only http and https are spoken' });
  if (url.username !== '' || url.password !== '') throw new DiagError('ADDRESS_REFUSED', { host: url.hostname, why: 'a name and password do not belong into an address' });
  return url;
}

/** One request to the very address that was checked: a name that resolves otherwise a moment later changes nothing. @throws ADDRESS_REFUSED, WEB_FAILED, TIMED_OUT, CANCELLED */
export async function askWeb(ask: WebAsk, policy: WebPolicy, signal: AbortSignal): Promise<WebAnswer> {
  const url = checkedUrl(ask.url);
  const host = url.hostname;
  const limit = within(ask.limitMs, signal);
  const from = performance.now();
  try {
    const address = await checkedAddress(host, policy);
    const answer = await sent(url, address, ask, limit);
    return { ...answer, tookMs: Math.round(performance.now() - from) };
  } catch (error) {
    if (error instanceof DiagError) throw error;
    if (signal.aborted) throw new DiagError('CANCELLED', { what: `The request to ${host}` }, { cause: error });
    if (limit.aborted) throw new DiagError('TIMED_OUT', { what: `The answer of ${host}`, limit: `${ask.limitMs} ms` }, { cause: error });
    throw new DiagError('WEB_FAILED', { host, why: sayError(error) }, { cause: error });
  }
}

/** Every address that the name has must be allowed: which one would be used is not ours to say. @throws ADDRESS_REFUSED, WEB_FAILED */
export async function checkedAddress(host: string, policy: WebPolicy): Promise<{ readonly address: string; readonly family: number }> {
  const bare = host.replace(/^\[|\]$/g, '');
  const all = isIP(bare) > 0 ? [{ address: bare, family: isIP(bare) }] : await lookup(bare, { all: true });
  for (const { address } of all) {
    const why = refusedAddress(address, policy);
    if (why !== undefined) throw new DiagError('ADDRESS_REFUSED', { host, why });
  }
  const [first] = all;
  if (first === undefined) throw new DiagError('WEB_FAILED', { host, why: 'the name has no address' });
  return first;
}

function sent(url: URL, { address, family }: { readonly address: string; readonly family: number }, ask: WebAsk, signal: AbortSignal): Promise<{ status: number; text: string }> {
  const most = ask.maxBytes ?? MAX_ANSWER_BYTES;
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const body = ask.body === undefined ? undefined : Buffer.from(ask.body);
    const req = send(url, {
      method: ask.method, signal, agent: false,
      headers: { 'user-agent': `${OWN_USER_AGENT}1`, ...ask.headers, ...(body === undefined ? {} : { 'content-length': String(body.byteLength) }) },
      lookup: (_name, options, done) => { if (options.all === true) done(null, [{ address, family }]); else (done as unknown as (error: null, address: string, family: number) => void)(null, address, family); },
    }, (res) => {
      const parts: Buffer[] = [];
      let kept = 0;
      const end = (): void => { resolve({ status: res.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8').slice(0, most) }); };
      res.on('data', (chunk: Buffer) => {
        parts.push(chunk.subarray(0, Math.max(0, most - kept)));
        kept += chunk.length;
        if (kept >= most) { end(); res.destroy(); }
      });
      res.once('end', end);
      res.once('error', reject);
    });
    req.once('error', reject);
    req.end(body);
  });
}
