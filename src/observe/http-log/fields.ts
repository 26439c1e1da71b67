// Owns what a `#Fields:` line says: which column of a W3C row holds what.

/** The columns we know; everything else in a row is skipped. */
export const ROLES = ['date', 'time', 'site', 'method', 'path', 'query', 'client', 'agent', 'host', 'referrer', 'status', 'sub', 'win32', 'sent', 'received', 'taken'] as const;
export type RoleName = (typeof ROLES)[number];

const NAMES: Readonly<Record<string, RoleName>> = {
  'date': 'date', 'time': 'time', 's-sitename': 'site', 'cs-method': 'method', 'cs-uri-stem': 'path', 'cs-uri-query': 'query', 'c-ip': 'client',
  'cs(user-agent)': 'agent', 'cs-host': 'host', 'cs(referer)': 'referrer', 'sc-status': 'status', 'sc-substatus': 'sub', 'sc-win32-status': 'win32',
  'sc-bytes': 'sent', 'cs-bytes': 'received', 'time-taken': 'taken',
};

/** The order App Service writes; used for rows before any `#Fields:` line, as in a piece cut out of a log. */
export const APP_SERVICE_FIELDS = '#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken';

/** More columns than any log of IIS has (it knows 22, and custom fields); a line that names more is not a `#Fields:` line we follow. */
export const MAX_COLUMNS = 256;

export interface Fields {
  /** Columns a row must have. */
  readonly columns: number;
  /** Column of each role, -1 where the log has none. */
  readonly at: Readonly<Record<RoleName, number>>;
  /** A row can be placed in time and judged: it has a time and a status. Without these every row is malformed. */
  readonly usable: boolean;
}

/** The columns of a `#Fields:` line (with or without that word). Names are compared without case; the first of two equal names counts. */
export function parseFields(line: string): Fields {
  const names = line.replace(/^#fields:/i, '').trim().split(/[ \t]+/).filter((name) => name !== '').slice(0, MAX_COLUMNS + 1);
  const at = Object.fromEntries(ROLES.map((role) => [role, -1])) as Record<RoleName, number>;
  names.forEach((name, column) => {
    const key = name.toLowerCase();
    const role = Object.hasOwn(NAMES, key) ? NAMES[key] : undefined;
    if (role !== undefined && at[role] < 0) at[role] = column;
  });
  return { columns: names.length, at, usable: names.length <= MAX_COLUMNS && at.time >= 0 && at.status >= 0 };
}
