// Owns the reading of nginx's log_format: its variables, compiled once into a pattern.
import type { LogFormat } from '../columns.ts';
import { MAX_PATTERN_CHARS, compile, patternParser, refuse } from './pattern.ts';
import type { Part, Variable } from './pattern.ts';
import { TextReader } from './reader.ts';
import type { Meaning } from './row.ts';
import type { Escaping } from './unescape.ts';

/** nginx writes a row when the request ends, but workers with a buffer write theirs late; a buffer is flushed by size or by its flush time. */
const DISORDER_MS = 60_000;

type Known = readonly [meaning: Meaning, rank?: number | undefined];
const text = (role: 'method' | 'path' | 'query' | 'client' | 'agent' | 'host' | 'referrer' | 'upstream', rank?: number): Known => [{ is: 'text', role }, rank];
const VARIABLES: Readonly<Record<string, Known>> = {
  remote_addr: text('client'), realip_remote_addr: text('client', 1), http_x_real_ip: text('client', 2), http_x_forwarded_for: [{ is: 'first-of-list', role: 'client' }, 3], proxy_add_x_forwarded_for: [{ is: 'first-of-list', role: 'client' }, 4],
  time_local: [{ is: 'at-ncsa' }, 2], time_iso8601: [{ is: 'at-iso' }, 1], msec: [{ is: 'at-epoch', perMs: 0.001 }],
  request: [{ is: 'request' }, 2], request_method: text('method'), request_uri: [{ is: 'uri' }], uri: text('path', 1), document_uri: text('path', 1), args: text('query', 1), query_string: text('query', 1),
  status: [{ is: 'number', column: 'status' }], bytes_sent: [{ is: 'number', column: 'sent' }], body_bytes_sent: [{ is: 'number', column: 'sent' }, 1], request_length: [{ is: 'number', column: 'received' }],
  request_time: [{ is: 'taken', perMs: 0.001 }], upstream_response_time: [{ is: 'upstream-taken' }, 1], upstream_addr: text('upstream'), upstream_status: [{ is: 'upstream-status', text: true }, 1],
  http_user_agent: text('agent'), http_referer: text('referrer'), host: text('host'), http_host: text('host', 1), server_name: text('host', 2),
};

/** The text between the quotes of a log_format directive, which may be pasted whole: 'log_format main escape=json '…' '…';'. */
function unquoted(given: string): { text: string; escaping: Escaping } {
  let rest = given.trim().replace(/^log_format\s+[\w.-]+\s+/, '').replace(/;$/, '').trim();
  const escape = /^escape=(default|json|none)\s+/.exec(rest);
  if (escape) rest = rest.slice(escape[0].length);
  const pieces = [...rest.matchAll(/'([^']*)'|"([^"]*)"/g)];
  const wholly = pieces.length > 0 && /^(?:'[^']*'|"[^"]*"|\s)+$/.test(rest) && rest[0] !== undefined && '\'"'.includes(rest[0]);
  const found = wholly && (rest[0] === '\'' || pieces.length === 1) ? pieces.map((piece) => piece[1] ?? piece[2] ?? '').join('') : rest;
  return { text: found, escaping: escape?.[1] === 'json' ? 'json' : escape?.[1] === 'none' ? 'none' : 'c' };
}

function parse(text: string): Part[] {
  const parts: Part[] = [];
  let literal = 0;
  for (const found of text.matchAll(/\$(?:\{([a-z_][\w-]{0,63})\}|([a-z_]\w{0,63}))/gi)) {
    parts.push(text.slice(literal, found.index), variable(found[1] ?? found[2] ?? ''));
    literal = found.index + found[0].length;
  }
  parts.push(text.slice(literal));
  return withoutIsArgs(parts);
}

/** Variables nobody knows here are skipped: modules and `map` make any number of them. */
function variable(name: string): Variable {
  const known = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
  return { name: `$${name}`, meaning: known?.[0] ?? { is: 'skip' }, rank: known?.[1] ?? 0 };
}

/** $is_args is "?" or nothing, always before $args: the two are one piece. */
function withoutIsArgs(parts: Part[]): Part[] {
  const found: Part[] = [];
  const kept = parts.filter((part) => part !== '');
  for (let i = 0; i < kept.length; i += 1) {
    const part = kept[i] as Part, next = kept[i + 1];
    if (typeof part !== 'string' && part.name === '$is_args' && typeof next === 'object' && /^\$(?:args|query_string)$/.test(next.name)) { found.push({ name: '$is_args$args', meaning: { is: 'asked' } }); i += 1; }
    else found.push(part);
  }
  return found;
}

/** @throws LOG_FORMAT_BAD */
export function nginx(given: string): LogFormat {
  if (given.length > MAX_PATTERN_CHARS) refuse(`it is longer than ${MAX_PATTERN_CHARS} characters`);
  const { text: format, escaping } = unquoted(given);
  const pattern = compile(parse(format), escaping);
  return {
    id: 'nginx', title: 'nginx, by its log_format', pattern: given, disorderMs: DISORDER_MS,
    reader: (options) => new TextReader({ ...options, hashIsText: pattern.beginsWithHash, parser: (columns) => patternParser(pattern, columns) }),
  };
}
