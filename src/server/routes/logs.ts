// Owns the routes of logs: the catalog, pages of lines (secrets masked), the file as it is.
import type { LogFilter, LogLine } from '../../shared/model.ts';
import type { Agent } from '../../agent/agent.ts';
import { maskedRowText } from '../../analyze/http-rows.ts';
import type { Handlers } from '../mount.ts';
import { sendFile } from '../files.ts';

type Mine = Pick<Handlers, 'logs' | 'logLines' | 'logFile'>;
type Filter = { [K in keyof LogFilter]?: LogFilter[K] | undefined };

export function logRoutes(agent: Agent): Mine {
  const { logs } = agent.observed;
  return {
    logs: async ({ signal }) => {
      const { sources, more } = await logs.catalog(signal);
      return { sources: [...sources], more };
    },
    logLines: async ({ params, query, signal }) => {
      const { before, after, at, offset, limit, ...rest } = query;
      const page = await logs.page(params.source, { limit, ...defined({ before, after, at, offset }), ...filterOf(rest) }, signal);
      return { ...page, lines: page.lines.map((line) => masked(line, agent.mask)) };
    },
    logFile: async ({ params, who, req, res, signal }) => {
      const path = await logs.path(params.source);
      await agent.audit(who, 'download log', params.source, 'sent as it is');
      await sendFile(req, res, path, { type: 'text/plain; charset=utf-8', name: path.split(/[\\/]/).at(-1) ?? 'log.txt' }, signal);
    },
  };
}

/** In a row of the HTTP log a secret stands under a name that only its column makes one: `code=` of a query, any cookie. */
export function masked(line: LogLine, mask: (text: string) => string): LogLine {
  const text = mask(maskedRowText(line.text) ?? line.text);
  return text === line.text ? line : { ...line, text };
}

/** A filter with only what was said; undefined when nothing was. */
export function filterOf(given: Filter): { filter?: LogFilter } {
  const filter = defined(given);
  return Object.keys(filter).length === 0 ? {} : { filter: filter as LogFilter };
}

function defined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
