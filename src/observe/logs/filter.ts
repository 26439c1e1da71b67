// Owns the filter of log entries: compiled once per follower, safe from any pattern a page may send.
import { RE2JS } from 're2js';
import { DiagError, sayError } from '../../shared/errors.ts';
import type { LogFilter, LogLine } from '../../shared/model.ts';

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
