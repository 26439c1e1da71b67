// Owns the reading of Apache's LogFormat: its directives, compiled once into a pattern.
import type { LogFormat } from '../columns.ts';
import { MAX_PATTERN_CHARS, compile, patternParser, refuse } from './pattern.ts';
import type { Part, Variable } from './pattern.ts';
import { TextReader } from './reader.ts';
import type { Meaning } from './row.ts';
import { timePieces } from './strftime.ts';

/** %t is when the request came, and the row is written when it ends: as late as the longest request. Apache's own limit is 300 s. */
const DISORDER_MS = 300_000;

type Known = readonly [meaning: Meaning, rank?: number | undefined];
const PLAIN: Readonly<Record<string, Known>> = {
  a: [{ is: 'text', role: 'client' }], h: [{ is: 'text', role: 'client' }, 1], r: [{ is: 'request' }, 2], m: [{ is: 'text', role: 'method' }], U: [{ is: 'text', role: 'path' }], q: [{ is: 'asked' }, 1],
  // "-" is how %b and %B's elder brother says that nothing was sent.
  b: [{ is: 'number', column: 'sent', dashIsZero: true }, 2], B: [{ is: 'number', column: 'sent' }, 1], O: [{ is: 'number', column: 'sent' }], I: [{ is: 'number', column: 'received' }],
  D: [{ is: 'taken', perMs: 1_000 }], T: [{ is: 'taken', perMs: 0.001 }, 3], v: [{ is: 'text', role: 'host' }, 1], V: [{ is: 'text', role: 'host' }, 2],
};
const SKIPPED = 'lufkpPHLRSXAefioCnst';
const HEADERS: Readonly<Record<string, Known>> = {
  'referer': [{ is: 'text', role: 'referrer' }], 'user-agent': [{ is: 'text', role: 'agent' }], 'host': [{ is: 'text', role: 'host' }], 'x-forwarded-for': [{ is: 'first-of-list', role: 'client' }, 3], 'x-real-ip': [{ is: 'text', role: 'client' }, 2],
};
const TAKEN: Readonly<Record<string, Known>> = { ms: [{ is: 'taken', perMs: 1 }, 1], us: [{ is: 'taken', perMs: 1_000 }], s: [{ is: 'taken', perMs: 0.001 }, 3] };
/** % [!][statuses] [<>] [{argument}] [^] letter(s) */
const DIRECTIVE = /%(?:(%)|(?:!?[\d,]{0,60})([<>]?)(?:\{([^{}]{0,200})\})?([<>]?)(\^[A-Z]{2}|\^t[io]|[A-Za-z]))/g;

/** The text between the quotes of a LogFormat directive, which may be pasted whole, with its \". */
function unquoted(given: string): string {
  const whole = /^LogFormat\s+"((?:[^"\\]|\\.)*)"(?:\s+\S+)?$/i.exec(given.trim());
  const inner = whole?.[1] ?? /^"((?:[^"\\]|\\.)*)"$/.exec(given.trim())?.[1] ?? given;
  return inner.replace(/\\(["\\tn])/g, (_, letter: string) => (letter === 't' ? '\t' : letter === 'n' ? '\n' : letter));
}

function parse(format: string): Part[] {
  const parts: Part[] = [];
  let literal = 0;
  for (const found of format.matchAll(DIRECTIVE)) {
    const between = format.slice(literal, found.index);
    if (between.includes('%')) refuse(`"${between.slice(between.indexOf('%')).slice(0, 20)}" is no directive of Apache`);
    literal = found.index + found[0].length;
    parts.push(between, ...(found[1] === '%' ? ['%'] : directive(found[0], found[5] ?? '', found[3], found[2] || found[4] || '')));
  }
  const rest = format.slice(literal);
  if (rest.includes('%')) refuse(`"${rest.slice(rest.indexOf('%')).slice(0, 20)}" is no directive of Apache`);
  return [...parts, rest];
}

/** One directive as the parts that it writes. */
function directive(name: string, letter: string, argument: string | undefined, which: string): Part[] {
  const one = (known: Known): Part[] => [{ name, meaning: known[0], rank: known[1] ?? 0 }];
  if (letter === 't') return time(name, argument);
  if (letter === 's') return one([{ is: 'number', column: 'status' }, which === '>' ? 0 : 1]);
  if (letter === 'T' && argument !== undefined) { const known = TAKEN[argument]; return known === undefined ? refuse(`${name} has no such unit`) : one(known); }
  if (letter === 'a' && argument === 'c') return one([{ is: 'text', role: 'client' }, 2]);
  if (letter === 'i' && argument !== undefined) return one(HEADERS[argument.toLowerCase()] ?? [{ is: 'skip' }]);
  if (letter === 'h' && argument === 'c') return one([{ is: 'text', role: 'client' }, 2]);
  const known = Object.hasOwn(PLAIN, letter) ? PLAIN[letter] : undefined;
  if (known !== undefined) return one(known);
  return letter.startsWith('^') || SKIPPED.includes(letter) ? one([{ is: 'skip' }]) : refuse(`${name} is no directive of Apache`);
}

function time(name: string, argument: string | undefined): Part[] {
  if (argument === undefined || argument === '') return ['[', { name, meaning: { is: 'at-ncsa' } } satisfies Variable, ']'];
  const pieces = timePieces(argument) ?? refuse(`${name} writes a time in a way that is not known here`);
  return pieces.flatMap((piece, index): Part[] => [...(index === 0 ? [] : [' ']), { name, meaning: { is: 'time-piece', piece } }]);
}

/** @throws LOG_FORMAT_BAD */
export function apache(given: string): LogFormat {
  if (given.length > MAX_PATTERN_CHARS) refuse(`it is longer than ${MAX_PATTERN_CHARS} characters`);
  const pattern = compile(parse(unquoted(given)), 'c');
  return {
    id: 'apache', title: 'Apache, by its LogFormat', pattern: given, disorderMs: DISORDER_MS,
    reader: (options) => new TextReader({ ...options, hashIsText: pattern.beginsWithHash, parser: (columns) => patternParser(pattern, columns) }),
  };
}
