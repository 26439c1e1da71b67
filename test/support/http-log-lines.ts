// Owns how each format writes a request down: the writers of generated HTTP logs, made from the servers' own documents.
import { APP_SERVICE_FIELDS } from '../../src/observe/http-log/fields.ts';
import type { Traffic, TrafficSource } from './http-traffic.ts';

export interface LineWriter {
  /** The format's id, and a name where several writers write one format. */
  readonly id: string;
  readonly name: string;
  readonly pattern?: string;
  /** Written once before the first row, and again where a server starts anew. */
  readonly head?: string;
  line(row: Traffic): string;
  /** As the log has it: the time, the time taken, the parts of the status. */
  at(row: Traffic): number;
  taken(row: Traffic): number | undefined;
  key(row: Traffic): string;
  /** The texts that the log holds. */
  readonly texts: readonly ('method' | 'path' | 'query' | 'client' | 'agent' | 'host' | 'site' | 'referrer' | 'upstream')[];
  readonly numbers: readonly ('sent' | 'received')[];
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const dash = (text: string): string => (text === '' ? '-' : text);
const second = (row: Traffic): number => row.at - row.at % 1_000;
const exactly = (row: Traffic): number => row.at;
const target = (row: Traffic): string => (row.query === '' ? row.path : `${row.path}?${row.query}`);
const plainKey = (row: Traffic): string => String(row.status);
const fullKey = (row: Traffic): string => `${row.status}.${row.sub}.${row.win32}`;
const none = (): undefined => undefined;

/** Rows of one second share its text. */
function cached(make: (secondMs: number) => string): (row: Traffic) => string {
  let last = -1, text = '';
  return (row) => {
    const at = second(row);
    if (at !== last) { last = at; text = make(at); }
    return text;
  };
}

const iso = cached((at) => new Date(at).toISOString().slice(0, 19));
const w3cTime = cached((at) => new Date(at).toISOString().slice(0, 19).replace('T', ' '));
const ncsaTime = cached((at) => `${stamp(at)} +0000`);
const eastTime = cached((at) => `${stamp(at + 2 * 3_600_000)} +0200`);

function stamp(at: number): string {
  const day = new Date(at);
  return `${day.toISOString().slice(8, 10)}/${MONTHS[day.getUTCMonth()]}/${day.getUTCFullYear()}:${day.toISOString().slice(11, 19)}`;
}

/** IIS writes `+` for what would part columns. */
export function w3cText(text: string): string {
  return text === '' ? '-' : /[\t ]/.test(text) ? text.replace(/[\t ]/g, '+') : text;
}

/** nginx: everything but printable ASCII without `"` and `\` as \xHH, byte by byte. */
export function nginxText(text: string): string {
  return dash(/^[ !#-[\]-~]*$/.test(text) ? text : [...Buffer.from(text)].map((byte) => (byte < 32 || byte > 126 || byte === 34 || byte === 92 ? `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}` : String.fromCharCode(byte))).join(''));
}

/** Apache: `\"`, `\\`, C escapes, the rest as \xhh. */
export function apacheText(text: string): string {
  const named: Readonly<Record<number, string>> = { 34: '\\"', 92: '\\\\', 9: '\\t', 10: '\\n', 13: '\\r', 8: '\\b', 11: '\\v' };
  return dash(/^[ !#-[\]-~]*$/.test(text) ? text : [...Buffer.from(text)].map((byte) => named[byte] ?? (byte < 32 || byte > 126 ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte))).join(''));
}

export const W3C: LineWriter = {
  id: 'iis-w3c', name: 'iis-w3c', head: `#Software: Microsoft Internet Information Services 8.0\r\n${APP_SERVICE_FIELDS}\r`, at: second, taken: (row) => row.takenMs, key: fullKey,
  texts: ['method', 'path', 'query', 'client', 'agent', 'host', 'site', 'referrer'], numbers: ['sent', 'received'],
  line: (row) => `${w3cTime(row)} ${row.site} ${row.method} ${row.path} ${dash(row.query)} 443 ${dash(row.user)} ${row.client} ${w3cText(row.agent)} ${dash(row.cookie)} ${dash(row.referrer)} ${row.host} ${row.status} ${row.sub} ${row.win32} ${row.sent} ${row.received} ${row.takenMs}\r`,
};
/** Fewer columns in another order, with one nobody knows. */
export const W3C_SHORT: LineWriter = {
  ...W3C, name: 'iis-w3c-short', head: '#Fields: time-taken sc-status date time cs(User-Agent) x-custom c-ip cs-method cs-uri-stem s-sitename', key: plainKey, texts: ['method', 'path', 'client', 'agent', 'site'], numbers: [],
  line: (row) => `${row.takenMs} ${row.status} ${w3cTime(row)} ${w3cText(row.agent)} whatever ${row.client} ${row.method} ${row.path} ${row.site}`,
};
const COMMON: LineWriter = {
  id: 'ncsa-common', name: 'ncsa-common', at: second, taken: none, key: plainKey, texts: ['method', 'path', 'query', 'client'], numbers: ['sent'],
  line: (row) => `${row.client} - ${dash(row.user)} [${ncsaTime(row)}] "${row.method} ${apacheText(target(row))} HTTP/1.1" ${row.status} ${row.sent}`,
};
const COMBINED: LineWriter = {
  ...COMMON, id: 'ncsa-combined', name: 'ncsa-combined', texts: [...COMMON.texts, 'agent', 'referrer'],
  line: (row) => `${COMMON.line(row)} "${apacheText(row.referrer)}" "${apacheText(row.agent)}"`,
};
const COMBINED_NGINX: LineWriter = { ...COMBINED, name: 'ncsa-combined as nginx writes it', line: (row) => `${COMMON.line(row)} "${nginxText(row.referrer)}" "${nginxText(row.agent)}"` };
const COMBINED_VHOST: LineWriter = { ...COMBINED, name: 'ncsa-combined behind the virtual host', texts: [...COMBINED.texts, 'host'], line: (row) => `${row.host}:443 ${COMBINED.line(row)}` };
const NGINX: LineWriter = {
  id: 'nginx', name: 'nginx', at: second, taken: (row) => row.takenMs, key: plainKey, texts: [...COMBINED.texts, 'host', 'upstream'], numbers: ['sent', 'received'],
  pattern: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" rt=$request_time uct="$upstream_connect_time" urt="$upstream_response_time" us=$upstream_status ua="$upstream_addr" host=$host rl=$request_length',
  line: (row) => `${row.client} - ${dash(row.user)} [${ncsaTime(row)}] "${row.method} ${nginxText(target(row))} HTTP/1.1" ${row.status} ${row.sent} "${nginxText(row.referrer)}" "${nginxText(row.agent)}" rt=${(row.takenMs / 1_000).toFixed(3)} uct="0.001, 0.001" urt="${((row.takenMs + 1) / 1_000).toFixed(3)}, 0.000 : 0.1" us=502, ${row.status} ua="${row.upstream}" host=${row.host} rl=${row.received}`,
};
const NGINX_JSON: LineWriter = {
  id: 'nginx', name: 'nginx with escape=json', at: exactly, taken: (row) => row.takenMs, key: plainKey, texts: ['method', 'path', 'query', 'client', 'agent', 'host'], numbers: ['sent'],
  pattern: 'escape=json {"ts":$msec,"ip":"$remote_addr","host":"$http_host","method":"$request_method","uri":"$request_uri","status":"$status","bytes":$bytes_sent,"ua":"$http_user_agent","urt":"$upstream_response_time"}',
  line: (row) => `{"ts":${(row.at / 1_000).toFixed(3)},"ip":"${row.client}","host":"${row.host}","method":"${row.method}","uri":${JSON.stringify(target(row))},"status":"${row.status}","bytes":${row.sent},"ua":${JSON.stringify(row.agent)},"urt":"${(row.takenMs / 1_000).toFixed(3)}"}`,
};
const APACHE: LineWriter = {
  id: 'apache', name: 'apache', at: second, taken: (row) => row.takenMs + 0.25, key: plainKey, texts: [...COMBINED.texts, 'host'], numbers: ['sent', 'received'],
  pattern: '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D %I %X',
  line: (row) => `${row.host}:443 ${row.client} - ${dash(row.user)} [${eastTime(row)}] "${row.method} ${apacheText(target(row))} HTTP/1.1" ${row.status} ${row.sent} "${apacheText(row.referrer)}" "${apacheText(row.agent)}" ${row.takenMs * 1_000 + 250} ${row.received} +`,
};
const properties = (row: Traffic): object => ({
  CsHost: row.host, CIp: row.client, SPort: '443', CsUriStem: row.path, CsUriQuery: row.query, CsMethod: row.method, TimeTaken: row.takenMs, ScStatus: String(row.status), Result: row.status < 400 ? 'Success' : 'Failed',
  CsBytes: String(row.received), ScBytes: row.sent, UserAgent: row.agent, Cookie: row.cookie, CsUsername: row.user, Referer: row.referrer, ComputerName: 'RD00155D0A1B2C', ScSubStatus: String(row.sub), ScWin32Status: String(row.win32),
});
const appService = (row: Traffic, held: unknown): string => JSON.stringify({
  time: new Date(row.at).toISOString(), resourceId: `/SUBSCRIPTIONS/0/RESOURCEGROUPS/SHOP/PROVIDERS/MICROSOFT.WEB/SITES/${row.site}`, category: 'AppServiceHTTPLogs', properties: held, EventStampType: 'Stamp', EventPrimaryStampName: 'waws-prod-am2-001', Host: 'RD00155D0A1B2C',
});
const APP_SERVICE: LineWriter = {
  id: 'json-app-service', name: 'json-app-service', at: exactly, taken: (row) => row.takenMs, key: fullKey, texts: ['method', 'path', 'query', 'client', 'agent', 'host', 'referrer', 'site'], numbers: ['sent', 'received'],
  line: (row) => appService(row, JSON.stringify(properties(row))),
};
const APP_SERVICE_OBJECT: LineWriter = { ...APP_SERVICE, name: 'json-app-service with an object', line: (row) => appService(row, properties(row)) };
const CADDY: LineWriter = {
  id: 'json-caddy', name: 'json-caddy', at: exactly, taken: (row) => row.takenMs, key: plainKey, texts: ['method', 'path', 'query', 'client', 'agent', 'host', 'referrer'], numbers: ['sent', 'received'],
  line: (row) => JSON.stringify({
    level: 'info', ts: row.at / 1_000, logger: 'http.log.access.log0', msg: 'handled request', request: { remote_ip: '127.0.0.9', remote_port: '41342', client_ip: row.client, proto: 'HTTP/2.0', method: row.method, host: row.host, uri: target(row),
      headers: { 'User-Agent': [row.agent], 'Accept': ['*/*', 'a'], ...(row.referrer === '' ? {} : { Referer: [row.referrer] }) }, tls: { resumed: false, version: 772, cipher_suite: 4865, proto: 'h2', server_name: row.host } },
    bytes_read: row.received, user_id: row.user, duration: row.takenMs / 1_000, size: row.sent, status: row.status, resp_headers: { Server: ['Caddy'], 'Content-Type': ['text/html; charset=utf-8'] },
  }),
};
const TRAEFIK: LineWriter = {
  id: 'json-traefik', name: 'json-traefik', at: second, taken: (row) => row.takenMs, key: plainKey, texts: ['method', 'path', 'query', 'client', 'agent', 'host', 'referrer', 'upstream'], numbers: ['sent', 'received'],
  line: (row) => JSON.stringify({
    ClientAddr: `${row.client}:51234`, ClientHost: row.client, ClientPort: '51234', ClientUsername: '-', DownstreamContentSize: row.sent, DownstreamStatus: row.status, Duration: row.takenMs * 1_000_000, OriginContentSize: row.sent, OriginDuration: 1, OriginStatus: 299,
    Overhead: 61_201, RequestAddr: `${row.host}:443`, RequestContentSize: row.received, RequestCount: 7, RequestHost: row.host, RequestMethod: row.method, RequestPath: target(row), RequestPort: '443', RequestProtocol: 'HTTP/1.1', RequestScheme: 'https', RetryAttempts: 0,
    RouterName: 'shop@docker', ServiceAddr: row.upstream, ServiceName: 'shop@docker', ServiceURL: `http://${row.upstream}`, StartLocal: '2026-01-01T00:00:00.000000001Z', StartUTC: '2026-01-01T00:00:00.000000001Z', entryPointName: 'web', level: 'info', msg: '',
    'request_User-Agent': row.agent, ...(row.referrer === '' ? {} : { request_Referer: row.referrer }), time: `${iso(row)}Z`,
  }),
};
const JSON_NAMES: LineWriter = {
  id: 'json', name: 'json', at: exactly, taken: (row) => row.takenMs, key: plainKey, texts: ['method', 'path', 'query', 'client', 'agent', 'host'], numbers: ['sent'],
  line: (row) => JSON.stringify({ '@timestamp': new Date(row.at).toISOString(), method: row.method, url: target(row), status: row.status, duration_ms: row.takenMs, bytes: row.sent, remote_addr: row.client, user_agent: row.agent, host: row.host, extra: { deep: [1, { method: 'NO' }, null, true] } }),
};
const JSON_PINO: LineWriter = {
  ...JSON_NAMES, name: 'json as pino-http writes it', numbers: [],
  line: (row) => JSON.stringify({ level: 30, time: row.at, pid: 1, hostname: 'c0ffee', req: { id: 1, method: row.method, url: target(row), query: {}, headers: { host: row.host, 'user-agent': row.agent }, remoteAddress: row.client, remotePort: 5_000 }, res: { statusCode: row.status, headers: { 'content-length': '9' } }, responseTime: row.takenMs, msg: 'request completed' }),
};

/** One of each way of writing. */
export const WRITERS: readonly LineWriter[] = [W3C, W3C_SHORT, COMMON, COMBINED, COMBINED_NGINX, COMBINED_VHOST, NGINX, NGINX_JSON, APACHE, APP_SERVICE, APP_SERVICE_OBJECT, CADDY, TRAEFIK, JSON_NAMES, JSON_PINO];

/** A line that is no row in any format: cut, torn by NUL bytes, of another program, or without a number where one must be. */
export function damagedLine(writer: LineWriter, row: Traffic, source: TrafficSource): string {
  const good = writer.line(row).replace(/\r$/, '');
  const third = Math.floor(good.length / 3);
  return source.pick([good.slice(0, third), `${good.slice(0, third)}\0\0${good.slice(third)}`, 'Unhandled exception. System.OutOfMemoryException', '   at Shop.Orders.Get(Int32 id) in C:\\shop\\Orders.cs:line 12', good.replaceAll(String(row.status), '2x0').replace(/\d\d:\d\d:\d\d/, '9:9'), 'x'.repeat(3_000)]);
}
