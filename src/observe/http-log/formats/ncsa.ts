// Owns the formats of NCSA: common and combined, as Apache, nginx and many others write them, also behind the virtual host and its port.
import type { Columns, LogFormat } from '../columns.ts';
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

/** The first pattern that fits the line. Their order is fixed, so that a line means the same wherever the reading began. */
function firstOf(patterns: readonly Pattern[], columns: Columns): LineParser {
  const parsers = patterns.map((pattern) => patternParser(pattern, columns));
  return (bytes, from, to, offset) => {
    for (const parse of parsers) {
      const verdict = parse(bytes, from, to, offset);
      if (verdict !== MALFORMED) return verdict;
    }
    return MALFORMED;
  };
}

function format(id: string, title: string, parts: readonly Part[]): LogFormat {
  const patterns = [compile([...VHOST, ...parts], 'c'), compile(parts, 'c')];
  return { id, title, disorderMs: DISORDER_MS, reader: (options) => new TextReader({ ...options, parser: (columns) => firstOf(patterns, columns) }) };
}

export const ncsaCommon: LogFormat = format('ncsa-common', 'NCSA common', COMMON);
export const ncsaCombined: LogFormat = format('ncsa-combined', 'NCSA combined', COMBINED);
