// Owns the Logs page's address: which sources, which filter, which instant.
import type { Level, LogFilter } from '../../../shared/model.ts';
import type { Query } from '../../address.ts';

export interface LogQuery { readonly sources: readonly string[]; readonly text: string; readonly regex: boolean; readonly not: boolean; readonly matchCase: boolean; readonly groups: readonly LevelGroup[]; readonly at: number | undefined; /** The row that is looked for, by its place in the file of the only source. */ readonly row: number | undefined }

/** More files at once than colours and columns can tell apart. */
export const MAX_SOURCES = 6;
export const LEVEL_GROUPS = [
  { id: 'error', title: 'Error', levels: ['fatal', 'error'] },
  { id: 'warn', title: 'Warn', levels: ['warn'] },
  { id: 'info', title: 'Info', levels: ['info'] },
  { id: 'debug', title: 'Debug', levels: ['debug', 'trace'] },
  { id: 'unknown', title: 'No level', levels: ['unknown'] },
] as const satisfies readonly { id: string; title: string; levels: readonly Level[] }[];
export type LevelGroup = (typeof LEVEL_GROUPS)[number]['id'];

export function logQueryOf(query: Query): LogQuery {
  const sources = (query['source'] ?? '').split(',').filter((s) => /^[a-z0-9]{1,40}$/.test(s)).slice(0, MAX_SOURCES);
  const levels = new Set((query['levels'] ?? '').split(',').filter(Boolean));
  const at = whole(query['at']);
  return {
    sources, text: (query['text'] ?? '').slice(0, 500), regex: query['re'] === '1', not: query['not'] === '1', matchCase: query['case'] === '1',
    groups: LEVEL_GROUPS.filter((g) => g.levels.some((l) => levels.has(l)) || levels.has(g.id)).map((g) => g.id),
    at, row: at === undefined || sources.length !== 1 ? undefined : whole(query['row']),
  };
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The filter the agent applies; undefined when everything is wanted. */
export function filterOf(q: LogQuery): LogFilter | undefined {
  const levels = LEVEL_GROUPS.filter((g) => q.groups.includes(g.id)).flatMap((g) => g.levels);
  const wanted: LogFilter = {
    ...(q.text === '' ? {} : q.regex ? { regex: q.text } : { text: q.text }),
    ...(q.text !== '' && q.not ? { not: true } : {}),
    ...(q.text !== '' && !q.matchCase ? { ignoreCase: true } : {}),
    ...(levels.length === 0 ? {} : { levels }),
  };
  return Object.keys(wanted).length === 0 ? undefined : wanted;
}
