// Owns the reading of php-fpm's configuration: what its pools listen on, how many processes they may have, and which of their own reports are on.
import type { FastCgiEnd } from '../../platform/fastcgi.ts';

export interface PoolSettings {
  readonly name: string;
  readonly listen: FastCgiEnd | undefined;
  readonly manager: string | undefined;                        // static, dynamic, ondemand
  readonly limit: number | undefined;                          // pm.max_children
  readonly statusPath: string | undefined;
  readonly statusListen: FastCgiEnd | undefined;               // answers when all processes are at work too
  readonly slowAfter: string | undefined;                      // request_slowlog_timeout, as it stands; undefined: off
  readonly slowLog: string | undefined;
}

export interface FpmText { readonly includes: readonly string[]; readonly sections: ReadonlyMap<string, ReadonlyMap<string, string>> }

const MAX_LINES = 20_000;

export function parseFpmText(text: string): FpmText {
  const includes: string[] = [];
  const sections = new Map<string, Map<string, string>>();
  let section = 'global';
  for (const raw of text.split('\n', MAX_LINES)) {
    const line = raw.trim();
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    const head = /^\[([^\]]{1,100})\]$/.exec(line)?.[1];
    if (head !== undefined) { section = head.trim(); continue; }
    const [, key, value = ''] = /^([\w.[\]-]{1,100})\s*=\s*(.*)$/.exec(line) ?? [];
    if (key === undefined) continue;
    const said = value.replace(/\s+;.*$/, '').trim().replace(/^(["'])(.*)\1$/, '$2');
    if (key === 'include') includes.push(said);
    else sections.set(section, (sections.get(section) ?? new Map<string, string>()).set(key, said));
  }
  return { includes, sections };
}

/** Pools of several files; a later file adds to a pool of the same name, as php-fpm does it. */
export function poolsOf(texts: readonly FpmText[]): PoolSettings[] {
  const merged = new Map<string, Map<string, string>>();
  for (const { sections } of texts) {
    for (const [name, values] of sections) {
      if (name === 'global') continue;
      const into = merged.get(name) ?? new Map<string, string>();
      for (const [key, value] of values) into.set(key, value);
      merged.set(name, into);
    }
  }
  return [...merged].map(([name, values]) => poolOf(name, values));
}

function poolOf(name: string, values: ReadonlyMap<string, string>): PoolSettings {
  const said = (key: string): string | undefined => { const value = values.get(key)?.replaceAll('$pool', name); return value === '' ? undefined : value; };
  const limit = Number(said('pm.max_children') ?? NaN);
  const slow = said('request_slowlog_timeout');
  return {
    name, listen: endOf(said('listen')), manager: said('pm'), limit: Number.isInteger(limit) ? limit : undefined, statusPath: said('pm.status_path'), statusListen: endOf(said('pm.status_listen')),
    slowAfter: slow === undefined || /^0+[smhd]?$/.test(slow) ? undefined : slow, slowLog: said('slowlog'),
  };
}

/** "/run/php.sock", "9000", "127.0.0.1:9000", "[::]:9000"; a wildcard is reached by loopback. */
function endOf(listen: string | undefined): FastCgiEnd | undefined {
  if (listen === undefined) return undefined;
  if (listen.startsWith('/')) return { path: listen };
  const [, host = '127.0.0.1', port] = /^(?:\[?([\w.:]+?)\]?:)?(\d{1,5})$/.exec(listen) ?? [];
  if (port === undefined) return undefined;
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port: Number(port) };
}
