// Owns the list of formats, and the making of one by its id and the user's own format string.
import type { LogFormat } from '../columns.ts';
import { iisW3c } from '../w3c.ts';
import { apache } from './apache.ts';
import { JSON_IDS, json } from './json.ts';
import { ncsaCombined, ncsaCommon } from './ncsa.ts';
import { nginx } from './nginx.ts';
import { refuse } from './pattern.ts';

const FIXED: readonly LogFormat[] = [iisW3c, ncsaCommon, ncsaCombined];

/** Ids that a user may name. nginx and apache want a format string: "nginx:<log_format>", "apache:<LogFormat>". */
export const FORMAT_IDS: readonly string[] = [...FIXED.map((format) => format.id), 'nginx', 'apache', ...JSON_IDS];

/** A format as it was made elsewhere (in another thread): by its id and pattern. @throws LOG_FORMAT_BAD */
export function formatOf(id: string, pattern?: string): LogFormat {
  const fixed = FIXED.find((format) => format.id === id);
  if (fixed !== undefined) return pattern === undefined ? fixed : refuse(`${id} takes no format string`);
  if (id === 'nginx') return nginx(pattern ?? refuse('nginx wants its log_format: nginx:$remote_addr …'));
  if (id === 'apache') return apache(pattern ?? refuse('apache wants its LogFormat: apache:%h %l …'));
  return JSON_IDS.includes(id) ? json(id, pattern) : refuse(`there is no format "${id.slice(0, 40)}"; there are ${FORMAT_IDS.join(', ')}`);
}

/** What a user says: an id, or an id and its format string behind a colon. @throws LOG_FORMAT_BAD */
export function formatNamed(given: string): LogFormat {
  const colon = given.indexOf(':');
  return colon < 0 ? formatOf(given.trim()) : formatOf(given.slice(0, colon).trim(), given.slice(colon + 1));
}
