// Owns the newest entries of the application logs, as Kudu gives them: time, level, process and message.
import type { LogLine, LogSourceInfo } from '../../shared/model.ts';
import { DiagError } from '../../shared/errors.ts';
import type { Agent } from '../../agent/agent.ts';
import { masked } from '../routes/logs.ts';
import type { KuduRoutes } from './route.ts';
import { word } from './shape.ts';

const DEFAULT_TOP = 100;
/** Kudu's own bounds. */
const MAX_TOP = 1_000;
const MAX_FILES = 50;

interface Entry { readonly timestamp: string; readonly level: string; readonly pid?: number; readonly message: string }

/** As .NET's trace listener writes: "2013-12-06T00:29:20  PID[20108] Information text". */
const TRACE = /^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\S*\s+PID\[(\d+)\]\s(\w+)\s+/;
/** iisnode: computer-pid-stdout-ms.txt. */
const PID_IN_NAME = /-(\d{1,10})-(?:stdout|stderr)-\d+\.txt$/i;
const LEVELS: Readonly<Record<LogLine['level'], string>> = { fatal: 'Error', error: 'Error', warn: 'Warning', info: 'Information', debug: 'Verbose', trace: 'Verbose', unknown: 'Information' };

export function recentLogRoutes(routes: KuduRoutes, agent: Agent): void {
  routes
    .on('get', '/logs/recent', async ({ req, signal }) => {
      const top = word(req, 'top') ?? String(DEFAULT_TOP);
      if (!/^\d{1,4}$/.test(top) || Number(top) < 1 || Number(top) > MAX_TOP) throw new DiagError('BAD_INPUT', { why: `top: a number from 1 to ${MAX_TOP}` });
      return (await recent(agent, Number(top), signal)).map(({ entry }) => entry);
    })
    .refuse('/logs/recent');
}

async function recent(agent: Agent, top: number, signal: AbortSignal): Promise<{ at: number; entry: Entry }[]> {
  const { logs } = agent.observed;
  const { sources } = await logs.catalog(signal);
  const files = sources.filter(({ kind, title }) => kind === 'application' && !/-logging-errors\.txt$/i.test(title)).sort((a, b) => b.changedAt - a.changedAt).slice(0, MAX_FILES);
  let found: { at: number; entry: Entry }[] = [];
  for (const source of files) {
    // Nothing in a file is newer than its last write: when enough newer entries are there, the rest can only be older.
    const oldest = found.length < top ? undefined : found.at(-1)?.at;
    if (oldest !== undefined && source.changedAt < oldest) break;
    found = [...found, ...await entriesOf(agent, source, top, signal)].sort((a, b) => b.at - a.at).slice(0, top);
  }
  return found;
}

/** Entries without a time are left out: nobody could say where they belong. */
async function entriesOf(agent: Agent, source: LogSourceInfo, top: number, signal: AbortSignal): Promise<{ at: number; entry: Entry }[]> {
  try {
    const { lines } = await agent.observed.logs.page(source.id, { limit: top }, signal);
    return lines.flatMap((line) => (line.at === undefined ? [] : [{ at: line.at, entry: entryOf(masked(line, agent.mask), line.at, source.title) }]));
  } catch (error) {
    if (error instanceof DiagError && error.code === 'SOURCE_UNKNOWN') return [];   // rotated away since it was listed
    throw error;
  }
}

function entryOf(line: LogLine, at: number, title: string): Entry {
  const [head = '', pid = PID_IN_NAME.exec(title)?.[1], level = LEVELS[line.level]] = TRACE.exec(line.text) ?? [];
  return { timestamp: new Date(at).toISOString(), level, ...(pid === undefined ? {} : { pid: Number(pid) }), message: line.text.slice(head.length).replace(/\r?\n/g, '\r\n') };
}
