// Owns the level of a log entry: sure forms first, words last, `unknown` rather than a guess.
import { undocker } from '../../shared/log-fields.ts';
import type { Level } from '../../shared/model.ts';

/** Words that mean a level wherever a format puts its level. */
export const WORDS: Readonly<Record<string, Level>> = {
  fatal: 'fatal', critical: 'fatal', crit: 'fatal', emerg: 'fatal', emergency: 'fatal', alert: 'fatal', panic: 'fatal', ftl: 'fatal',
  error: 'error', err: 'error', fail: 'error', severe: 'error',
  warn: 'warn', warning: 'warn', wrn: 'warn',
  info: 'info', information: 'info', informational: 'info', inf: 'info', notice: 'info',
  debug: 'debug', dbug: 'debug', dbg: 'debug',
  trace: 'trace', trce: 'trace', verbose: 'trace', trc: 'trace', vrb: 'trace',
};
/** Levels of some libraries that are plain words elsewhere: believed only in a field that is named a level. */
export const FIELD_WORDS: Readonly<Record<string, Level>> = { ...WORDS, http: 'info', log: 'info', config: 'info', fine: 'debug', silly: 'trace', finer: 'trace', finest: 'trace' };
/** Syslog severities 0 to 7. */
const SYSLOG: readonly Level[] = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'];
const LOOK_CHARS = 240; // a level word further in belongs to the message

const JSON_LEVELS = ['level', 'severity', 'lvl', '@l', 'log.level', 'Level', 'loglevel', 'levelname', 'LogLevel'];

/** The level of one JSON entry: pino and bunyan's numbers, or a word. */
export function jsonLevel(fields: Readonly<Record<string, unknown>>): Level {
  for (const name of JSON_LEVELS) {
    const value = fields[name];
    if (typeof value === 'number') return value >= 10 ? numberedLevel(value) : SYSLOG[value] ?? 'unknown';
    if (typeof value === 'string') return FIELD_WORDS[value.toLowerCase()] ?? 'unknown';
  }
  // Serilog's compact form leaves out the level of information.
  return fields['@t'] !== undefined && fields['@mt'] !== undefined ? 'info' : 'unknown';
}

export function numberedLevel(value: number): Level {
  if (value >= 60) return 'fatal';
  if (value >= 50) return 'error';
  if (value >= 40) return 'warn';
  if (value >= 30) return 'info';
  return value >= 20 ? 'debug' : 'trace';
}

/** The forms that say a level at a fixed place; the first that fits decides. The word is the first group. */
const FORMS: readonly RegExp[] = [
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*\s+PID\[\d+\]\s+([A-Za-z]+)/,                         // .NET trace
  /^\[[^\]]*\]\s+PHP (Fatal|Parse|Warning|Notice|Deprecated|Recoverable|Core|Compile|User|Strict)/, // php_errors.log
  /^PHP (Fatal|Parse|Warning|Notice|Deprecated|Recoverable)/,
  /^(fail|warn|info|crit|dbug|trce):\s/,                                                    // ASP.NET console
  /^npm (ERR!|WARN|error|warn|notice)/,
  /^(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]\S+\s+)?\[(?:[a-z_0-9]+:)?([A-Za-z]{3,9})\](?:\s|:|$)/,     // nginx, Apache, winston
  /^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [^\]]*\] \[(?:[a-z_0-9]+:)?([a-z]+)\]/,                      // Apache error log
  /^(?:\[?\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?\]?\s+)(?:\[[^\]]*\]\s+)?\[?([A-Za-z]{3,11})\]?[\s:\]]/, // log4j, logback, python
  /^([A-Z]{4,8}):[\w.]+:/,                                                                    // python's basicConfig
  /^([A-Za-z]{4,11})(?:\s*[:|]|\s+-)\s/,                                                     // "Error: …", "WARN - …"
  /(?:^|\s)(?:level|lvl|severity)="?([A-Za-z]{3,11})"?(?:\s|$)/,                              // logfmt
  /\s-\s([A-Z]{4,8})\s-\s/,                                                                   // python "name - LEVEL - text"
];
const PHP_WORDS: Readonly<Record<string, Level>> = { Fatal: 'fatal', Parse: 'fatal', Core: 'fatal', Compile: 'fatal', Recoverable: 'error', Warning: 'warn', User: 'warn', Notice: 'info', Deprecated: 'info', Strict: 'info' };
const UPPER = /(?:^|[\s[(|<])(FATAL|CRITICAL|EMERG|SEVERE|ERROR|WARN(?:ING)?|INFO(?:RMATION)?|NOTICE|DEBUG|TRACE|VERBOSE)(?=[\s\])|>:,]|$)/;

// An error that nothing caught: the process is on its way out.
const UNCAUGHT = /^Unhandled exception\b|^Node\.js v\d+\.|^Uncaught |^(?:panic|fatal error): |^FATAL ERROR: |^Exception in thread "/im;
const EXCEPTION = /^(?:Traceback \(most recent call last\):|(?:[\w$]+[.:])*[\w$]*(?:Error|Exception|Throwable)\b(?:\s*\[[\w.]+\])?(?::|$))/m;
// Two ends of a W3C row: its time, and status, sub-status, win32 [, bytes, bytes, time-taken].
const W3C = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S.*\s([1-5]\d\d) \d{1,4} \d{1,10}(?: (?:\d+|-)){0,3}\s*$/;
const NCSA = /^\S+ \S+ \S+ \[[^\]]+\] "[^"]*" ([1-5]\d\d) (?:\d+|-)/;

/** The level of an entry that is not JSON. */
export function levelOf(text: string): Level {
  const eol = text.indexOf('\n');
  const first = eol === -1 ? text : text.slice(0, eol);
  const byStatus = statusLevel(first);
  if (byStatus) return byStatus;
  const head = undocker(first.length > LOOK_CHARS ? first.slice(0, LOOK_CHARS) : first);
  const said = saidLevel(head);
  if (said === 'fatal') return said;
  const rest = text.length > 8_192 ? text.slice(0, 8_192) : text; // frames of one exception; enough to see what it is
  if (UNCAUGHT.test(rest)) return 'fatal';
  if (said) return said;
  return EXCEPTION.test(eol === -1 ? head : rest) ? 'error' : 'unknown';
}

/** The level of an entry of this level that goes on with this line. */
export function levelWith(level: Level, line: string): Level {
  if (level === 'fatal') return level;
  const head = line.length > LOOK_CHARS ? line.slice(0, LOOK_CHARS) : line;
  if (UNCAUGHT.test(head)) return 'fatal';
  return level === 'unknown' && EXCEPTION.test(head) ? 'error' : level;
}

function statusLevel(first: string): Level | undefined {
  const status = (W3C.exec(first) ?? NCSA.exec(first))?.[1];
  if (status === undefined) return undefined;
  return status.startsWith('5') ? 'error' : status.startsWith('4') ? 'warn' : 'info';
}

function saidLevel(head: string): Level | undefined {
  const priority = /^<(\d{1,3})>/.exec(head);
  if (priority) return SYSLOG[Number(priority[1]) % 8];
  for (const form of FORMS) {
    const word = form.exec(head)?.[1];
    if (word === undefined) continue;
    const level = (head.includes('PHP ') ? PHP_WORDS[word] : undefined) ?? WORDS[word.toLowerCase().replace('err!', 'error')];
    if (level) return level;
  }
  const glog = /^([EWIF])\d{4} \d\d:\d\d:\d\d/.exec(head)?.[1];
  if (glog) return ({ E: 'error', W: 'warn', I: 'info', F: 'fatal' } as const)[glog as 'E'];
  const upper = UPPER.exec(head)?.[1];
  return upper === undefined ? undefined : WORDS[upper.toLowerCase()];
}
