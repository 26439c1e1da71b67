// Owns the filter of log entries: compiled once per follower, safe from any pattern a page may send.
import { RE2JS } from 're2js';
import { DiagError, sayError } from '../../shared/errors.ts';
import { LogFlags } from '../../shared/log-frame.ts';
import { instantOf } from '../../shared/log-fields.ts';
import type { LogFilter, LogLine } from '../../shared/model.ts';
import type { Block } from './block.ts';
import { levelAt } from './quick-level.ts';

const MAX_PATTERN_CHARS = 500; // as the schema says; checked again because the CLI and rules come here too
/** Matching costs at most (states x text). `\pL{1000}` repeated to 50,000 states takes 40 s on an entry of 256 KiB; 2,000 states take
 *  under 0.2 s, and no pattern a person writes comes near. */
const MAX_PROGRAM_STATES = 2_000;

/** True for the entries the filter lets through. A multi-line entry is matched as a whole, `^` and `$` at each of its lines.
 *  An entry without an instant passes no `from` or `to`: it cannot be told to lie inside. @throws FILTER_BAD with the reason */
export function compileFilter(filter: LogFilter | undefined): (line: LogLine) => boolean {
  if (filter === undefined) return () => true;
  const text = textTest(filter);
  const levels = filter.levels && filter.levels.length > 0 ? new Set(filter.levels) : undefined;
  const { from, to } = filter;
  return (line) => {
    if (levels && !levels.has(line.level)) return false;
    if (from !== undefined && (line.at === undefined || line.at < from)) return false;
    if (to !== undefined && (line.at === undefined || line.at > to)) return false;
    return text === undefined || text(line.text) !== (filter.not ?? false);
  };
}

function textTest(filter: LogFilter): ((text: string) => boolean) | undefined {
  const wanted = filter.text === undefined || filter.text === '' ? undefined : containsTest(filter.text, filter.ignoreCase ?? false);
  const pattern = filter.regex === undefined || filter.regex === '' ? undefined : regexTest(filter.regex, filter.ignoreCase ?? false);
  if (wanted && pattern) return (text) => wanted(text) && pattern(text);
  return wanted ?? pattern;
}

function containsTest(wanted: string, ignoreCase: boolean): (text: string) => boolean {
  if (wanted.length > MAX_PATTERN_CHARS) throw new DiagError('FILTER_BAD', { why: `the text has ${wanted.length} characters` });
  if (!ignoreCase) return (text) => text.includes(wanted);
  const lower = wanted.toLowerCase();
  return (text) => text.toLowerCase().includes(lower);
}

function regexTest(source: string, ignoreCase: boolean): (text: string) => boolean {
  if (source.length > MAX_PATTERN_CHARS) throw new DiagError('FILTER_BAD', { why: `the pattern has ${source.length} characters` });
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source, RE2JS.MULTILINE | (ignoreCase ? RE2JS.CASE_INSENSITIVE : 0));
  } catch (error) {
    throw new DiagError('FILTER_BAD', { why: sayError(error).replace(/^error parsing regexp: /, '') }, { cause: error });
  }
  if (compiled.programSize() > MAX_PROGRAM_STATES) throw new DiagError('FILTER_BAD', { why: 'the pattern is too large once its repeats are written out' });
  return (text) => compiled.test(text);
}

/** A filter of whole blocks: `entry` tells of the entry in lines [from, to), with what the block before holds of it. */
export interface BlockFilter {
  /** Before the entries of a block are asked about. */
  begin(block: Block): void;
  entry(block: Block, from: number, to: number, text: () => string, near: number | undefined): boolean;
}

/** The same answers as compileFilter gives, found for a plain text with one search of the block's bytes. @throws FILTER_BAD */
export function compileBlockFilter(filter: LogFilter): BlockFilter {
  const passes = compileFilter(filter);
  const literal = literalOf(filter);
  const timed = filter.from !== undefined || filter.to !== undefined;
  let nextAt = -1; // place of the next find in the block; -1 when there is none
  let search: ((from: number) => number) | undefined;
  const line = (block: Block, to: number, text: string, near: number | undefined): LogLine => {
    const at = timed ? instantOf(text, near) : undefined;
    return { source: '', offset: 0, cursor: '', level: levelAt((block.flags[to - 1] as number) & LogFlags.level), text, ...(at === undefined ? {} : { at }) };
  };
  return {
    begin(block) {
      search = literal === undefined ? undefined : searchIn(block, literal);
      nextAt = search?.(0) ?? -1;
    },
    entry(block, from, to, text, near) {
      if (search === undefined || (from === 0 && block.before.length > 0)) return passes(line(block, to, text(), near));
      while (nextAt !== -1 && nextAt < (block.starts[from] as number)) nextAt = search(block.starts[from] as number);
      const found = nextAt !== -1 && nextAt < (block.starts[to] as number);
      // What was found may reach over a line's end, or stand in what is cleaned away: the text decides. What was not found is not there.
      if (!found && !(filter.not ?? false)) return false;
      return passes(line(block, to, found || timed || filter.regex !== undefined ? text() : '', near));
    },
  };
}

/** The bytes to search for: a plain text of ASCII, so that bytes and characters are the same, in one line. */
function literalOf(filter: LogFilter): { bytes: Buffer; ignoreCase: boolean } | undefined {
  const { text = '' } = filter;
  if (text === '' || !/^[\x20-\x7e]+$/.test(text)) return undefined;
  return { bytes: Buffer.from(text), ignoreCase: filter.ignoreCase ?? false };
}

/** A search in this block's bytes; undefined where bytes and text may differ: NULs are taken out of it, and the lower case of some
 *  signs is a letter of ASCII (U+212A, the Kelvin sign). */
function searchIn({ bytes }: Block, literal: { bytes: Buffer; ignoreCase: boolean }): ((from: number) => number) | undefined {
  if (bytes.includes(0)) return undefined;
  if (!literal.ignoreCase) return (from) => bytes.indexOf(literal.bytes, from);
  if (bytes.includes(KELVIN)) return undefined;
  const lower = bytes.toString('latin1').toLowerCase();
  const wanted = literal.bytes.toString('latin1').toLowerCase();
  return (from) => lower.indexOf(wanted, from);
}
const KELVIN = Buffer.from('\u212a');
