// Owns `diag logs`: the catalog, the last entries of a log, and following it without loss over a broken connection.
import { DiagError } from '../../shared/errors.ts';
import type { LogItem } from '../../shared/live.ts';
import { Level, type LogFilter, type LogLine, type LogSourceInfo } from '../../shared/model.ts';
import { bytes, plural, utc } from '../../shared/units.ts';
import { systemClock } from '../../platform/clock.ts';
import { chooseLog } from '../choose-log.ts';
import { followLog } from '../follow.ts';
import type { Remote } from '../options.ts';
import { colour, json, print, printJson, remark, safe, safeLine, table } from '../print.ts';
import { withAgent, type Reached } from '../reach.ts';
import { stop } from '../until.ts';

interface Options extends Remote { readonly follow?: boolean; readonly last: number; readonly text?: string; readonly regex?: string; readonly not?: boolean; readonly level?: readonly string[] }
const RETRY_MS = 1_000;

export async function logs(source: string | undefined, options: Options): Promise<void> {
  const filter = filterOf(options);
  if (source === undefined && options.follow) throw new DiagError('BAD_INPUT', { why: 'name the log to follow' });
  await withAgent(options, async (reached) => {
    const catalog = await reached.diag.logs();
    if (source === undefined) { list(catalog, options); return; }
    const chosen = chooseLog(catalog.sources, source);
    if (options.follow) await follow(reached, chosen, filter, options);
    else await last(reached, chosen, filter, options);
  });
}

function list({ sources, more }: Awaited<ReturnType<Reached['diag']['logs']>>, options: Options): void {
  if (options.json) { printJson({ sources, more }); return; }
  if (sources.length === 0) print('No log was found under LogFiles or in the app\'s folder.');
  else print(table(['Id', 'Log', 'Kind', 'Size', 'Changed'], sources.map((s) => [s.id, safeLine(s.title), s.kind, bytes(s.sizeBytes), utc(s.changedAt)]), [3]));
  if (more > 0) print(`${plural(more, 'more file')} ${more === 1 ? 'is' : 'are'} not listed.`);
}

async function last({ diag }: Reached, { id: source, kind }: LogSourceInfo, filter: LogFilter, options: Options): Promise<void> {
  const page = options.last === 0 ? { lines: [], complete: true } : await diag.logLines({ params: { source }, query: { limit: options.last, ...filter } });
  if (options.json) { printJson(page); return; }
  for (const line of page.lines) printLine(line, kind);
  if (!page.complete) remark('Only the newest part of this log was searched; --text or --level of fewer entries reaches no further back.');
}

/** Resumes at the cursor after a broken connection: no line twice, none missing, or a counted gap. */
async function follow(from: Reached, { id: source, kind }: LogSourceInfo, filter: LogFilter, options: Options): Promise<void> {
  let reached = from;
  let cursor: string | undefined;
  let away = false;
  while (!stop.aborted) {
    for await (const batch of followLog(reached, { source, filter, ...(cursor === undefined ? { last: options.last } : { cursor }) }, stop)) {
      if (away) { away = false; remark('connected again'); }
      cursor = batch.cursor;
      if (batch.dropped > 0) printLoss(batch.dropped, options.json === true);
      for (const item of batch.items) printItem(item, kind, options.json === true);
    }
    if (stop.aborted) return;
    if (!away) { away = true; remark(`the connection to ${reached.url} is lost; trying again …`); }
    await systemClock.wait(RETRY_MS, stop).catch((error: unknown) => { if (!stop.aborted) throw error; });
    if (!stop.aborted) reached = await reached.again();
  }
}

/** A filter that leaves nothing out is no filter. @throws BAD_INPUT */
export function filterOf(options: Pick<Options, 'text' | 'regex' | 'not' | 'level'>): LogFilter {
  const levels = options.level?.map((word) => {
    const level = Level.safeParse(word);
    if (!level.success) throw new DiagError('BAD_INPUT', { why: `--level: ${word} is none of ${Level.options.join(', ')}` });
    return level.data;
  });
  if (options.not && options.text === undefined && options.regex === undefined) throw new DiagError('BAD_INPUT', { why: '--not needs --text or --regex' });
  return { ...(options.text === undefined ? {} : { text: options.text }), ...(options.regex === undefined ? {} : { regex: options.regex }), ...(options.not ? { not: true } : {}), ...(levels ? { levels } : {}) };
}

function printItem(item: LogItem, kind: LogSourceInfo['kind'], asJson: boolean): void {
  if (asJson) print(json('line' in item ? item.line : item));
  else if ('line' in item) printLine(item.line, kind);
  else if ('more' in item) printLine(item.more, kind);
  else print(colour('yellow', `— ${safeLine(item.notice.text)}`));
}

function printLoss(dropped: number, asJson: boolean): void {
  if (asJson) print(json({ dropped }));
  else print(colour('yellow', `— ${plural(dropped, 'entry', 'entries')} ${dropped === 1 ? 'was' : 'were'} skipped: this terminal was too slow`));
}

/** The entry as it was written; where it is no terminal nothing is added, so that a pipe gets the log's own text. An entry of the event log is no text but a record: its time and level stand in front. */
function printLine(line: LogLine, kind: LogSourceInfo['kind']): void {
  const text = `${kind === 'event' ? `${line.at === undefined ? '' : `${new Date(line.at).toISOString()} `}${line.level} ` : ''}${safe(line.text)}${line.cutBytes ? ` … ${bytes(line.cutBytes)} cut` : ''}`;
  if (line.level === 'error' || line.level === 'fatal') print(colour('red', text));
  else print(line.level === 'warn' ? colour('yellow', text) : text);
}
