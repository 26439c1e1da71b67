// Owns reading App Service's counters: JSON text in variables, sometimes with leftovers of an earlier text behind its end.
import type { Counter } from '../platform.ts';

const GROUPS = { app: 'app', clr: 'clr', aspNet: 'aspnet' } as const;
/** The platform writes a few dozen; more is not what we know. */
const KEPT = 200;
/** Limits are named after one of the thing: `processes` has `processLimit`, `activeConnections` has `activeConnectionLimit`. */
const LIMIT = /Limit$/;

/** `group`: of a variable that holds one group; WEBSITE_COUNTERS_ALL names them itself. Text that is not JSON gives nothing. */
export function parseCounters(text: string, group: Counter['group'] | 'all'): Counter[] {
  const value = jsonOf(text);
  if (value === undefined) return [];
  if (group !== 'all') return countersOf(value, group);
  return Object.entries(GROUPS).flatMap(([name, id]) => (isRecord(value[name]) ? countersOf(value[name], id) : [])).slice(0, KEPT);
}

function jsonOf(text: string): Record<string, unknown> | undefined {
  const end = text.lastIndexOf('}');
  for (const cut of [end, shortest(text)]) {
    if (cut < 0) return undefined;
    try {
      const value: unknown = JSON.parse(text.slice(0, cut + 1));
      return isRecord(value) ? value : undefined;
    } catch {
      // Leftovers may hold a brace of their own: then the first whole object counts.
    }
  }
  return undefined;
}

/** Where the first object ends; the names and numbers of these texts hold no braces. */
function shortest(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '{') depth += 1;
    if (text[i] === '}') { depth -= 1; if (depth === 0) return i; }
  }
  return -1;
}

function countersOf(value: Record<string, unknown>, group: Counter['group']): Counter[] {
  const found: Counter[] = [];
  for (const [name, number] of Object.entries(value)) {
    if (typeof number !== 'number' || !Number.isFinite(number) || LIMIT.test(name) || found.length >= KEPT) continue;
    const limit = value[`${singular(name)}Limit`];
    // A limit of 0 or less is none.
    found.push({ group, name, value: number, ...(typeof limit === 'number' && limit > 0 ? { limit } : {}) });
  }
  return found;
}

function singular(name: string): string {
  return name.endsWith('sses') ? name.slice(0, -2) : name.replace(/s$/, '');
}

function isRecord(value: unknown): value is Record<string, unknown> { return typeof value === 'object' && value !== null && !Array.isArray(value); }
