// Owns the judgement of crashes: exits of the worker, the exception in the application log that caused them, the requests they ended.
import type { Evidence, Finding } from '../../shared/model.ts';
import { ChangesFile, EventLogFile } from '../../shared/artifacts.ts';
import { count, plural } from '../../shared/units.ts';
import type { Analyzer, Given } from '../contracts.ts';
import { crashStory } from '../crash-story.ts';
import type { CrashStory, Culprit } from '../crash-story.ts';
import { httpFacts } from '../parse/http-facts.ts';
import type { HttpFacts } from '../parse/http-facts.ts';
import { exitWords, exitsOf, startsOf } from '../parse/exits.ts';
import { logFacts } from '../parse/exceptions.ts';
import type { ExceptionGroup, LogFacts } from '../parse/exceptions.ts';
import { readAll, unreadableFinding } from '../parse/json-artifacts.ts';
import { clock, oneLine, shareText, times } from '../parse/words.ts';
import { crashChain, exceptionName } from '../crash-chain.ts';

const EXCEPTIONS_TOLD = 12;
const EXITS_TOLD = 20;
const REASONS_TOLD = 4;
const REASON_CHARS = 160;

export const applicationCrashes: Analyzer = {
  id: 'application-crashes',
  title: 'Crashes and exceptions',
  needs: [],
  uses: ['application-log', 'php-log', 'event-log', 'changes', 'http-log'],
  async analyze(given, { window }, cancel) {
    const logs = [...(given['application-log'] ?? []), ...(given['php-log'] ?? [])];
    const [events, changes] = [await readAll(given['event-log'], EventLogFile), await readAll(given.changes, ChangesFile)];
    if (logs.length === 0 && !given['event-log'] && !given.changes) return [cannotTell()];
    const facts = await logFacts(logs, cancel);
    const http = given['http-log'] ? await httpFacts(given['http-log'], window, cancel) : undefined;
    const rows = events.files.flatMap((f) => f.rows);
    const changed = changes.files.flatMap((f) => f.changes);
    const story = crashStory({ exits: exitsOf(rows, changed), starts: startsOf(rows, changed), exceptions: facts.exceptions, failed: http?.failed ?? [] });
    return [
      ...story.culprits.map((culprit, i) => crashed(culprit, i, story, http, changed.filter((c) => c.kind === 'deployment' || c.kind === 'configuration'))),
      ...ended(story), ...exceptions(facts, story), ...errors(facts), ...quiet(given, facts, story, rows.some((row) => row.id === 1309 && row.provider.startsWith('ASP.NET'))),
      ...unreadableFinding('application-crashes', 'application', [...events.unreadable, ...changes.unreadable]),
    ];
  },
};

function crashed(culprit: Culprit, index: number, story: CrashStory, http: HttpFacts | undefined, deployed: readonly { at: number; title: string }[]): Finding {
  const { crashes, exception } = culprit;
  const ended = crashes.reduce((n, c) => n + c.ended.length, 0);
  const refused = crashes.reduce((n, c) => n + c.refused.length, 0);
  const words = new Set(crashes.map((c) => exitWords(c.exit)));
  const how = words.size === 1 ? ` with ${[...words][0]}` : '';
  const starting = crashes.every((c) => c.exit.starting) ? ' while it started' : '';
  return {
    // The first keeps the plain id, so that links and rules find "the" crash; further causes are numbered in order of frequency.
    id: index === 0 ? 'worker-crashes' : `worker-crashes-${index + 1}`, area: 'application', severity: 'critical',
    title: `The worker crashed ${times(crashes.length)}${how}${starting}${exception === undefined ? onlyReason(crashes) : `: ${exceptionName(exception, true)}`}`,
    why: crashWhy(culprit, story, http, ended, refused), advice: crashAdvice(exception, deployed.length > 0 && index === 0),
    evidence: [crashChain(culprit, index === 0 ? story.trigger : undefined, deployed), ...stackOf(exception), exitsTable(culprit)], mitigations: [],
  };
}

function crashWhy(culprit: Culprit, story: CrashStory, http: HttpFacts | undefined, ended: number, refused: number): string {
  const hit = ended + refused;
  const parts: string[] = [];
  if (http && hit > 0) {
    const each = [ended > 0 ? `ended ${plural(ended, 'request')} in flight` : '', refused > 0 ? `left ${plural(refused, 'request')} without a worker` : ''].filter((p) => p !== '').join(' and ');
    const lost = http.failedLost > 0 ? ` (of the newest ${count(http.failed.length)} failures)` : '';
    parts.push(`${culprit.crashes.length === 1 ? 'The crash' : 'The crashes'} ${each}: ${count(hit)} of ${plural(http.failures, 'failed request')}${lost}, ${shareText(hit, http.total)} of all ${count(http.total)}.`);
  } else if (http) parts.push('No failed request in the HTTP log falls together with the crashes; a crash between two requests hurts nobody but the next one, who waits for the start.');
  if (story.trigger !== undefined && culprit === story.culprits[0]) parts.push(`${story.trigger} is the only request that was running each time.`);
  if (culprit.exception === undefined && told(culprit.crashes).length > 0) parts.push(`The processes themselves left their reason: ${told(culprit.crashes).slice(0, REASONS_TOLD).map(([reason, n]) => `${oneLine(reason, REASON_CHARS)}${n === 1 ? '' : ` (${times(n)})`}`).join('; ')}.`);
  else if (culprit.exception === undefined) parts.push('The logs that were collected hold no exception near these exits, so what ended the process is not told here.');
  else if (story.inferred) parts.push('The log gives neither time nor process; exception and exits were matched because there are as many of the one as of the other.');
  const first = culprit.crashes[0];
  if (first) parts.push(culprit.crashes.length === 1 ? `It happened at ${clock(first.exit.at)}.` : `The first was at ${clock(first.exit.at)}, the last at ${clock(culprit.crashes.at(-1)?.exit.at ?? first.exit.at)}.`);
  return parts.join(' ');
}

/** Reasons that were known at the exit, the most frequent first. */
function told(crashes: Culprit['crashes']): [string, number][] {
  const reasons = new Map<string, number>();
  for (const { exit: { reason } } of crashes) if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return [...reasons].sort((a, b) => b[1] - a[1]);
}

function onlyReason(crashes: Culprit['crashes']): string {
  const [first, ...others] = told(crashes);
  return first === undefined || others.length > 0 || first[1] < crashes.length ? '' : `: ${oneLine(first[0], REASON_CHARS)}`;
}

/** A restart does not help: the platform has started the next worker already, and the same request will end it. */
function crashAdvice(exception: ExceptionGroup | undefined, deployed: boolean): string {
  const stop = deployed ? 'Stop it now: go back to the deployment before the last one, or swap the slots back. A restart does not help: the next such request ends the new worker too.'
    : 'Stop it now: turn off what leads to that code, if it can be turned off. A restart does not help: the next such request ends the new worker too.';
  if (!exception) return `${stop}\nFind it: write stderr to LogFiles (App Service logs, Application logging; iisnode: \`loggingEnabled="true"\`), and diagnose again after the next crash. An exit by a signal or a code above 128 speaks for native code or memory: collect a memory dump.`;
  const where = exception.place === undefined ? '' : ` Look at \`${exception.place}\` first.`;
  return `${stop}\nFix it: nothing caught this ${exception.type}.${where} Handle the case that throws, and return errors of callbacks, timers and promises to the request that caused them.\nBe told next time: watch for "exit code is not 0" and keep the application log, so that the first crash is seen and not the fiftieth.`;
}

function stackOf(exception: ExceptionGroup | undefined): Evidence[] {
  if (!exception) return [];
  if (exception.frames.length === 0) return [{ kind: 'lines', title: 'In the application log', lines: [exception.sample] }];
  return [{ kind: 'stack', title: `${exceptionName(exception, false)}, seen ${times(exception.count)}`, frames: exception.frames.map((f) => (f.ours ? { text: f.text, ours: true } : { text: f.text })) }];
}

function exitsTable({ crashes }: Culprit): Evidence {
  const reasons = told(crashes).length > 0;
  return {
    kind: 'table', title: 'Exits', columns: [{ title: 'Time (UTC)', unit: 'at' }, { title: 'Process', unit: 'text' }, { title: 'Ended with', unit: 'text' }, { title: 'Requests ended', unit: 'count' }, { title: 'Found no worker', unit: 'count' }, { title: 'Seen in', unit: 'text' }, ...(reasons ? [{ title: 'Known then', unit: 'text' as const }] : [])],
    rows: crashes.slice(0, EXITS_TOLD).map((c) => [c.exit.at, c.exit.pid === undefined ? null : String(c.exit.pid), exitWords(c.exit), c.ended.length, c.refused.length, SEEN_IN[c.exit.from], ...(reasons ? [c.exit.reason === undefined ? null : oneLine(c.exit.reason, REASON_CHARS)] : [])]), more: Math.max(0, crashes.length - EXITS_TOLD),
  };
}
const SEEN_IN = { 'event-log': 'event log', changes: 'process list', both: 'event log and process list' } as const;

function ended(story: CrashStory): Finding[] {
  if (story.planned.length === 0) return [];
  return [{
    id: 'worker-exits-planned', area: 'application', severity: 'info', title: `The worker ended ${times(story.planned.length)} as asked`,
    why: 'It was restarted or ended itself without an error (exit code 0, or the signal that asks a process to end). That is no crash.', advice: '',
    evidence: [{ kind: 'table', columns: [{ title: 'Time (UTC)', unit: 'at' }, { title: 'Process', unit: 'text' }, { title: 'Ended with', unit: 'text' }], rows: story.planned.slice(0, EXITS_TOLD).map((e) => [e.at, e.pid === undefined ? null : String(e.pid), exitWords(e)]), more: Math.max(0, story.planned.length - EXITS_TOLD) }], mitigations: [],
  }];
}

/** Exceptions that ended no process as far as we saw. */
function exceptions(facts: LogFacts, story: CrashStory): Finding[] {
  const guilty = new Set(story.culprits.map((c) => c.exception?.key));
  const rest = facts.exceptions.filter((e) => !guilty.has(e.key));
  if (rest.length === 0) return [];
  const sum = rest.reduce((n, e) => n + e.count, 0);
  const uncaught = rest.reduce((n, e) => n + e.fatal, 0);
  const [top] = rest;
  return [{
    id: 'application-exceptions', area: 'application', severity: 'warning',
    title: `${plural(sum, 'exception')} of ${plural(rest.length, 'kind')} in the application log${top === undefined ? '' : `, most often ${exceptionName(top, true)}`}`,
    why: `${uncaught > 0 ? `${count(uncaught)} of them say that nothing caught them, but no exit of the worker was seen beside them. ` : 'They were logged and the process went on. '}Requests behind them may have been answered with an error.`,
    advice: 'Start with the most frequent one.\nCompare its times with the requests that ended as 500.',
    evidence: [{
      kind: 'table', columns: [{ title: 'Exception', unit: 'text' }, { title: 'Place', unit: 'code' }, { title: 'Entries', unit: 'count' }, { title: 'Last (UTC)', unit: 'at' }],
      rows: rest.slice(0, EXCEPTIONS_TOLD).map((e) => [exceptionName(e, false), e.place ?? null, e.count, e.seen.at(-1)?.at ?? null]), more: Math.max(0, rest.length - EXCEPTIONS_TOLD),
    }, ...stackOf(top)], mitigations: [],
  }];
}

function errors(facts: LogFacts): Finding[] {
  const [top] = facts.errors;
  if (!top) return [];
  const sum = facts.errors.reduce((n, e) => n + e.count, 0);
  return [{
    id: 'application-errors', area: 'application', severity: 'warning', title: `${plural(sum, 'error entry', 'error entries')} in the application log, most often: ${oneLine(top.text, 100)}`,
    why: `They are what the app itself calls an error. ${count(facts.entries)} entries of ${plural(facts.files, 'file')} were read.`, advice: 'Compare their times with the failed requests.',
    evidence: [{ kind: 'table', columns: [{ title: 'Entry', unit: 'text' }, { title: 'Times', unit: 'count' }, { title: 'Last (UTC)', unit: 'at' }], rows: facts.errors.slice(0, EXCEPTIONS_TOLD).map((e) => [e.text, e.count, e.lastAt ?? null]), more: Math.max(0, facts.errors.length - EXCEPTIONS_TOLD) }], mitigations: [],
  }];
}

/** `thrown`: the event log tells of an exception in a request. */
function quiet(given: Given, facts: LogFacts, story: CrashStory, thrown: boolean): Finding[] {
  if (story.crashes.length > 0 || facts.exceptions.length > 0 || thrown) return [];
  // Where nobody watched processes end, a log without an exception says no more than that.
  const title = given['event-log'] || given.changes ? 'No crash and no exception' : 'No exception in the application log';
  const seen = [given['event-log'] ? 'the event log' : '', given.changes ? 'the list of exits' : '', facts.files > 0 ? `${plural(facts.entries, 'entry', 'entries')} of ${plural(facts.files, 'log file')}` : ''].filter((s) => s !== '');
  return [{ id: 'no-crashes', area: 'application', severity: 'good', title, why: `Looked at: ${seen.join(', ')}.`, advice: '', evidence: [], mitigations: [] }];
}

function cannotTell(): Finding {
  return {
    id: 'crashes-unknown', area: 'application', severity: 'cannot-tell', title: 'Whether the worker crashed cannot be told', why: 'Neither the application log nor the event log nor the list of exits was collected.',
    advice: 'Diagnose again with application logs, event log and what changed.', evidence: [], mitigations: [],
  };
}
