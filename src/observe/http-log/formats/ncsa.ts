// Owns the formats of NCSA: common and combined, as Apache, nginx and many others write them, also behind the virtual host and its port.
import type { FullColumns, LogFormat } from '../columns.ts';
import { compile, patternParser } from './pattern.ts';
import type { Part, Pattern } from './pattern.ts';
import { MALFORMED, TextReader } from './reader.ts';
import type { LineParser } from './reader.ts';
import type { Meaning } from './row.ts';

/** Apache writes when the request came, in the order of the ends: as late as the longest request. */
const DISORDER_MS = 300_000;

const part = (name: string, meaning: Meaning): Part => ({ name, meaning });
const SKIP: Meaning = { is: 'skip' };
const COMMON: readonly Part[] = [
  part('client', { is: 'text', role: 'client' }), ' ', part('identity', SKIP), ' ', part('user', SKIP), ' [', part('time', { is: 'at-ncsa' }), '] "', part('request', { is: 'request' }), '" ',
  part('status', { is: 'number', column: 'status' }), ' ', part('bytes', { is: 'number', column: 'sent' }),
];
const COMBINED: readonly Part[] = [...COMMON, ' "', part('referrer', { is: 'text', role: 'referrer' }), '" "', part('agent', { is: 'text', role: 'agent' }), '"'];
/** A name alone would not be told from a client: the port does it. */
const VHOST: readonly Part[] = [part('host', { is: 'text', role: 'host' }), ':', part('port', { is: 'digits' }), ' '];

const SPACE = 32, COLON = 58, ZERO = 48;

/** Does the line begin with a word that ends in a colon and digits? IPv6 clients do too. */
function mayHaveVhost(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  while (at < to && bytes[at] !== SPACE) at += 1;
  const end = at;
  while (at > from && (bytes[at - 1] as number) >= ZERO && (bytes[at - 1] as number) <= ZERO + 9) at -= 1;
  return at < end && bytes[at - 1] === COLON;
}

/** Behind a virtual host or not, line by line: so a line means the same wherever the reading began. */
function parser(withVhost: Pattern, plain: Pattern, columns: FullColumns): LineParser {
  const first = patternParser(withVhost, columns), second = patternParser(plain, columns);
  return (bytes, from, to, offset) => {
    const verdict = mayHaveVhost(bytes, from, to) ? first(bytes, from, to, offset) : MALFORMED;
    return verdict === MALFORMED ? second(bytes, from, to, offset) : verdict;
  };
}

function format(id: string, title: string, parts: readonly Part[]): LogFormat {
  const withVhost = compile([...VHOST, ...parts], 'c'), plain = compile(parts, 'c');
  return { id, title, disorderMs: DISORDER_MS, reader: (options) => new TextReader({ ...options, parser: (columns) => parser(withVhost, plain, columns) }) };
}

export const ncsaCommon: LogFormat = format('ncsa-common', 'NCSA common', COMMON);
export const ncsaCombined: LogFormat = format('ncsa-combined', 'NCSA combined', COMBINED);
