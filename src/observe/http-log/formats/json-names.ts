// Owns the names under which JSON access logs hold what a row means. Sources: the AppServiceHTTPLogs table of Azure Monitor, Caddy's and Traefik's documents, ECS, pino-http, and what nginx users name their variables.
import type { TextRole } from '../columns.ts';
import type { Meaning } from './row.ts';

/** Keys joined by "/" (without case, "_" and "-"), what the value means, and its rank among those that mean the same. */
export type Name = readonly [path: string, meaning: Meaning, rank?: number | undefined];

const text = (role: TextRole, ...paths: string[]): Name[] => paths.map((path, rank) => [path, { is: 'text', role }, rank]);
const number = (column: 'status' | 'sub' | 'win32' | 'sent' | 'received', ...paths: string[]): Name[] => paths.map((path, rank) => [path, { is: 'number', column }, rank]);
const uri = (...paths: string[]): Name[] => paths.map((path, rank) => [path, { is: 'uri' }, rank]);
const at = (...paths: string[]): Name[] => paths.map((path, rank) => [path, { is: 'at-any' }, rank]);
const taken = (perMs: number, rank: number, ...paths: string[]): Name[] => paths.map((path) => [path, { is: 'taken', perMs, text: true }, rank]);

const APP_SERVICE_FIELDS: readonly Name[] = [
  ...text('method', 'CsMethod'), ...text('path', 'CsUriStem'), ['CsUriQuery', { is: 'asked' }], ...text('client', 'CIp'), ...text('agent', 'UserAgent'), ...text('host', 'CsHost'), ...text('referrer', 'Referer'), ...text('site', 'SSitename'),
  ...number('status', 'ScStatus'), ...number('sub', 'ScSubStatus'), ...number('win32', 'ScWin32Status'), ...number('sent', 'ScBytes'), ...number('received', 'CsBytes'), ...taken(1, 0, 'TimeTaken'),
];
/** A record of the storage export holds the columns below `properties`; the table's own export holds them flat. */
export const APP_SERVICE: readonly Name[] = [
  ...APP_SERVICE_FIELDS, ...APP_SERVICE_FIELDS.map(([path, meaning, rank]): Name => [`properties/${path}`, meaning, rank]),
  ...at('time', 'TimeGenerated', 'EventTime'), ['resourceId', { is: 'last-segment', role: 'site' }, 1], ['_ResourceId', { is: 'last-segment', role: 'site' }, 2],
];

export const CADDY: readonly Name[] = [
  ...at('ts', 'time', 'timestamp'), ...text('method', 'request/method'), ...uri('request/uri'), ...text('host', 'request/host'), ...text('client', 'request/client_ip', 'request/remote_ip', 'request/remote_addr'),
  ...text('agent', 'request/headers/User-Agent'), ...text('referrer', 'request/headers/Referer'), ...number('status', 'status'), ...number('sent', 'size'), ...number('received', 'bytes_read'), ...taken(0.001, 0, 'duration'),
];

export const TRAEFIK: readonly Name[] = [
  ...at('time', 'StartUTC', 'StartLocal'), ...text('method', 'RequestMethod'), ...uri('RequestPath'), ...text('host', 'RequestHost', 'RequestAddr'), ...text('client', 'ClientHost', 'ClientAddr'), ...text('agent', 'request_User-Agent'),
  ...text('referrer', 'request_Referer'), ...number('status', 'DownstreamStatus'), ...number('sent', 'DownstreamContentSize'), ...number('received', 'RequestContentSize'), ...taken(1e6, 0, 'Duration'), ...text('upstream', 'ServiceAddr', 'ServiceURL'), ['OriginStatus', { is: 'upstream-status', text: false }], ['OriginDuration', { is: 'upstream-taken', perMs: 1e6 }],
];

const COMMON_NAMES: readonly Name[] = [
  ...at('@timestamp', 'timestamp', 'time', 'ts', 'datetime', 'date', 'time_iso8601', 'msec', 'time_local', 'event_time', 'start_time', 't'),
  ...text('method', 'method', 'request_method', 'http_method', 'verb', 'req/method', 'request/method', 'http/method', 'http/request/method', 'httpRequest/requestMethod'),
  ...uri('uri', 'url', 'request_uri', 'path', 'request_path', 'request_url', 'req/url', 'request/uri', 'request/url', 'request/path', 'http/url', 'url/original', 'url/path', 'httpRequest/requestUrl'),
  ['request', { is: 'request' }, 20], ['request_line', { is: 'request' }, 21], ['args', { is: 'asked' }, 20], ['query', { is: 'asked' }, 21], ['query_string', { is: 'asked' }, 22], ['url/query', { is: 'asked' }, 23],
  ...number('status', 'status', 'status_code', 'http_status', 'response_code', 'sc_status', 'res/statusCode', 'response/status', 'response/status_code', 'http/status_code', 'http/response/status_code', 'httpRequest/status', 'code'),
  ...text('client', 'client_ip', 'remote_addr', 'remote_ip', 'remote_address', 'remote_host', 'c_ip', 'ip', 'clientHost', 'req/remoteAddress', 'request/remote_ip', 'client/ip', 'client/address', 'source/ip', 'source/address', 'httpRequest/remoteIp', 'client'),
  ...text('agent', 'user_agent', 'http_user_agent', 'agent', 'ua', 'req/headers/user-agent', 'request/headers/user-agent', 'user_agent/original', 'http/useragent', 'httpRequest/userAgent'),
  ...text('referrer', 'referer', 'referrer', 'http_referer', 'http_referrer', 'req/headers/referer', 'request/headers/referer', 'http/request/referrer', 'httpRequest/referer'),
  ...text('host', 'host', 'http_host', 'vhost', 'server_name', 'domain', 'req/headers/host', 'request/host', 'url/domain', 'host/name'),
  ...number('sent', 'bytes_sent', 'body_bytes_sent', 'response_size', 'bytes', 'bytes_out', 'size', 'content_length', 'http/response/body/bytes', 'httpRequest/responseSize'),
  ...number('received', 'request_length', 'bytes_received', 'bytes_in', 'request_size', 'httpRequest/requestSize'),
  ...taken(1, 0, 'duration_ms', 'elapsed_ms', 'latency_ms', 'response_time_ms', 'request_time_ms', 'time_taken_ms', 'responseTime', 'elapsed_milliseconds', 'time_taken', 'took_ms'),
  ...taken(1e6, 1, 'duration_ns', 'event/duration'), ...taken(1_000, 1, 'duration_us', 'elapsed_us', 'latency_us'), ...taken(0.001, 2, 'request_time', 'duration_s', 'duration_seconds', 'httpRequest/latency', 'rt'), ['upstream_response_time', { is: 'upstream-taken' }, 2], ['urt', { is: 'upstream-taken' }, 2],
  ...taken(1, 3, 'latency_human', 'duration', 'elapsed', 'latency', 'took', 'response_time'),
  ...text('upstream', 'upstream_addr', 'upstream', 'upstream_host'), ['upstream_status', { is: 'upstream-status', text: true }, 3],
];
/** Names with a dot ("http.request.method") are also written flat. */
export const COMMON: readonly Name[] = [...COMMON_NAMES, ...COMMON_NAMES.filter(([path]) => path.includes('/')).map(([path, meaning, rank]): Name => [path.replaceAll('/', '.'), meaning, (rank ?? 0) + 1])];
