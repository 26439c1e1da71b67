// Owns `diag logs`: the catalog, the last entries of a log, and following it without loss over a broken connection.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import { Level, type LogFilter, type LogLine } from '../../shared/model.ts';
import { bytes, utc } from '../../shared/units.ts';
import type { Remote } from '../options.ts';
import { colour, print, printJson, safe, table } from '../print.ts';
import { withAgent, type Reached } from '../reach.ts';
import { interrupted } from '../until.ts';
import { followLog } from '../follow.ts';

interface Options extends Remote { follow?: boolean; last: number; text?: string; regex?: string; not?: boolean; level?: string }
const RETRY_MS = 1_000;

export async function logs(source: string | undefined, options: Options): Promise<void> {
  await withAgent(options, async (reached) => {
    const { sources, more } = await reached.diag.logs();
    if (source === undefined) {
      if (options.json) { printJson({ sources, more }); return; }
      print(table(['Id', 'Log', 'Kind', 'Size', 'Changed'], sources.map((s) => [s.id, safe(s.title), s.kind, bytes(s.sizeBytes), utc(s.changedAt)]), [3]));
      if (more > 0) print(`${more} more files are not listed.`);
      return;
    }
    const found = sources.filter((s) => s.id === source || s.title.endsWith(source));
    const [only] = found;
    if (!only) throw new DiagError('SOURCE_UNKNOWN', { source });
    if (found.length > 1 && only.id !== source) throw new DiagError('BAD_INPUT', { why: `${source} names ${found.length} logs: ${found.slice(0, 5).map((s) => s.title).join(', ')}` });
    if (options.follow) await follow(reached, only.id, options);
    else await last(reached, only.id, options);
  });
}

async function last({ diag }: Reached, source: string, options: Options): Promise<void> {
  const page = await diag.logLines({ params: { source }, query: { limit: options.last || 200, ...filterOf(options) } });
  if (options.json) printJson(page);
  else for (const line of page.lines) printLine(line);
}

/** Resumes at the cursor after a broken connection: no line twice, none missing, or a counted gap. */
async function follow(reached: Reached, source: string, options: Options): Promise<void> {
  const stop = interrupted();
  let cursor: string | undefined;
  while (!stop.aborted) {
    for await (const batch of followLog(reached, { source, filter: filterOf(options), ...(cursor === undefined ? { last: options.last } : { cursor }) }, stop)) {
      cursor = batch.cursor;
      for (const item of batch.items) {
        if (options.json) process.stdout.write(`${JSON.stringify('line' in item ? item.line : { notice: item.notice })}\n`);
        else if ('line' in item) printLine(item.line);
        else print(colour('yellow', `— ${item.notice.text}`));
      }
      if (batch.dropped > 0 && !options.json) print(colour('yellow', `— ${batch.dropped} entries were skipped: this terminal was too slow`));
    }
    if (!stop.aborted) await sleep(RETRY_MS, undefined, { signal: stop }).catch((error: unknown) => { if (!stop.aborted) throw error; });
  }
}

function filterOf(options: Options): LogFilter {
  const levels = options.level === undefined ? undefined : z.array(Level).safeParse(options.level.split(','));
  if (levels && !levels.success) throw new DiagError('BAD_INPUT', { why: `--level: levels are ${Level.options.join(', ')}` });
  return { ...(options.text ? { text: options.text } : {}), ...(options.regex ? { regex: options.regex } : {}), ...(options.not ? { not: true } : {}), ...(levels ? { levels: levels.data } : {}) };
}

function printLine(line: LogLine): void {
  const level = line.level === 'error' || line.level === 'fatal' ? colour('red', line.level) : line.level === 'warn' ? colour('yellow', 'warn') : '';
  print(`${level ? `${level} ` : ''}${safe(line.text)}${line.cutBytes ? colour('dim', ` … ${bytes(line.cutBytes)} cut`) : ''}`);
}
