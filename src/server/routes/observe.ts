// Owns the routes of what is observed: metrics, processes, requests, the HTTP summary, changes.
import { DiagError, sayError } from '../../shared/errors.ts';
import { both, onRoute, parseHttpFilter, printHttpFilter, withStatus } from '../../shared/http-filter.ts';
import type { HttpTerm } from '../../shared/http-filter.ts';
import type { ProcessKey } from '../../shared/model.ts';
import { maskVariables } from '../../shared/mask.ts';
import type { Variable } from '../../platform/platform.ts';
import type { Agent } from '../../agent/agent.ts';
import { askOfApp } from '../../agent/app-asks.ts';
import { maskedChange, maskedInfo, maskedReport, maskedRow } from '../../agent/masking.ts';
import { appInside, appView } from '../../observe/samplers/app-views.ts';
import { NO_PRELOAD } from '../../shared/app-view.ts';
import type { Handlers } from '../mount.ts';

type Mine = Pick<Handlers, 'metrics' | 'processes' | 'process' | 'app' | 'askApp' | 'requests' | 'http' | 'changes'>;

/** What a page sees when it names no time. */
const DEFAULT_SPAN_MS = 15 * 60_000;
/** History is kept for five days; a longer span holds nothing more. */
const MAX_SPAN_MS = 6 * 86_400_000;

export function observeRoutes(agent: Agent): Mine {
  const { observed, platform, store } = agent;
  return {
    metrics: async ({ query }) => {
      const { from, to, now } = span(agent, query);
      const process = query.pid === undefined ? undefined : await keyOf(agent, query.pid, query.startedAt, from, to);
      return store.history.read({ metrics: query.metric, from, to, points: query.points, now, ...(process ? { process } : {}) });
    },
    processes: async () => {
      const latest = observed.latest();
      const can = platform.can('processes');
      const processes = observed.processes().map((info) => ({ info: maskedInfo(info, agent.mask), ...sampleOf(latest.get(nameOf(info))) }));
      return { at: platform.clock.now(), processes, ...(can.yes ? {} : { missing: can.because ?? 'not possible here' }) };
    },
    process: async ({ params, signal }) => {
      const info = observed.processes().find((p) => p.pid === params.pid);
      if (!info) throw new DiagError('PROCESS_GONE', { pid: params.pid });
      const [files, variables] = await Promise.all([
        settle(platform.openFiles(info.pid, signal)),
        settle(platform.environment(info.pid, signal)),
      ]);
      return {
        info: maskedInfo(info, agent.mask),
        offers: agent.explorer.offers(info),
        ...sampleOf(observed.latest().get(nameOf(info))),
        ...('value' in files ? { openFiles: files.value.map(agent.mask) } : { openFilesMissing: files.because }),
        ...('value' in variables ? { environment: shown(variables.value, agent.mask) } : { environmentMissing: variables.because }),
      };
    },
    app: async ({ query }) => {
      const apps = observed.inside.apps().filter(({ process }) => query.pid === undefined || process.pid === query.pid);
      const living = apps.filter(({ state }) => state !== 'ended');
      if (query.pid !== undefined && apps.length === 0) throw new DiagError('APP_UNREACHABLE', { pid: query.pid, why: 'no such process carries it' });
      return { at: platform.clock.now(), apps: apps.map((one) => appView(one, agent.mask)), ...(living.length > 1 ? { together: appInside(living, agent.mask) } : {}), ...(apps.length > 0 ? {} : { missing: NO_PRELOAD }) };
    },
    askApp: async ({ params, body, who, signal }) => {
      await askOfApp(agent, params.pid, body, who, signal);
      return { ok: true as const };
    },
    requests: async ({ query, signal }) => {
      const { from, to } = span(agent, query);
      const found = await observed.rows({ from, to, limit: query.limit, filter: rowFilter(query), ...pick(query, 'after') }, signal);
      return { ...found, rows: found.rows.map((row) => maskedRow(row, agent.mask)) };
    },
    http: async ({ query, signal }) => {
      const { from, to } = span(agent, query);
      return maskedReport(await observed.http({ from, to, ...pick(query, 'filter') }, signal), agent.mask);
    },
    changes: async ({ query }) => {
      const { from, to } = span(agent, query, 86_400_000);
      const changes = observed.changes.recent().filter((c) => c.at >= from && c.at <= to);
      const newest = new Map(changes.map((c) => [c.id, c]));   // a later message with the same id adds to the earlier
      return { changes: [...newest.values()].sort((a, b) => b.at - a.at).slice(0, query.limit).map((c) => maskedChange(c, agent.mask)) };
    },
  };
}

/** The filter, and what older links say in words of their own. @throws HTTP_FILTER_BAD */
function rowFilter(query: { filter?: string | undefined; failed?: boolean | undefined; status?: string | undefined; route?: string | undefined }): string {
  const { failed, status, route } = query;
  const terms: HttpTerm[] = [];
  if (failed !== undefined) terms.push({ field: 'failed', not: !failed });
  if (status !== undefined) terms.push(withStatus(status));
  if (route !== undefined) {
    const [, method, path = route] = /^([^\s/]+) (.*)$/.exec(route) ?? [];
    terms.push(method === undefined ? { field: 'route', any: [{ route: [path] }], not: false } : onRoute(method, path));
  }
  return printHttpFilter(both(parseHttpFilter(query.filter ?? ''), { terms }));
}

const nameOf = (p: ProcessKey): string => `${p.pid}:${p.startedAt}`;
const sampleOf = <S>(sample: S | undefined): { sample?: S } => (sample === undefined ? {} : { sample });

function span(agent: Agent, query: { from?: number | undefined; to?: number | undefined }, defaultMs = DEFAULT_SPAN_MS): { from: number; to: number; now: number } {
  const now = agent.platform.clock.now();
  const to = query.to ?? now;
  const from = query.from ?? to - defaultMs;
  if (from >= to) throw new DiagError('BAD_INPUT', { why: 'query.from: lies after to' });
  if (to - from > MAX_SPAN_MS) throw new DiagError('BAD_INPUT', { why: 'query.from: more than six days before to' });
  return { from, to, now };
}

/** A bare pid means its newest process in the window. */
async function keyOf(agent: Agent, pid: number, startedAt: number | undefined, from: number, to: number): Promise<ProcessKey> {
  if (startedAt !== undefined) return { pid, startedAt };
  const tracks = (await agent.store.history.tracks(from, to)).filter((t) => t.pid === pid).sort((a, b) => b.startedAt - a.startedAt);
  const key = tracks[0] ?? agent.observed.processes().find((p) => p.pid === pid);
  // One that ended before it was ever measured is known by its end: it has nothing but gaps.
  if (!key && agent.observed.changes.recent().some((change) => change.pid === pid && change.at >= from)) return { pid, startedAt: from };
  if (!key) throw new DiagError('PROCESS_GONE', { pid });
  return { pid, startedAt: key.startedAt };
}

function pick<T extends object, K extends keyof T>(from: T, ...keys: readonly K[]): { [P in K]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(keys.filter((k) => from[k] !== undefined).map((k) => [k, from[k]])) as { [P in K]?: Exclude<T[P], undefined> };
}

/** Masked by name, and where one variable repeats the secret of another. */
function shown(variables: readonly Variable[], mask: (text: string) => string): { name: string; value: string; masked: boolean }[] {
  return maskVariables(variables).map(({ name, value, masked }) => {
    const rest = mask(value);
    return { name, value: rest, masked: masked || rest !== value };
  });
}

/** A value, or the sentence why there is none: partial answers say what is missing. */
async function settle<T>(work: Promise<T>): Promise<{ value: T } | { because: string }> {
  try {
    return { value: await work };
  } catch (error) {
    if (error instanceof DiagError) return { because: sayError(error) };
    throw error;
  }
}
