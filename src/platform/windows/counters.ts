// Owns the counters that App Service keeps of the site: variables whose text the platform computes at each reading.
import type { Env } from '../identity.ts';
import type { Counter } from '../platform.ts';
import { parseCounters } from '../parse/counters.ts';

const VARIABLES = [['WEBSITE_COUNTERS_APP', 'app'], ['WEBSITE_COUNTERS_CLR', 'clr'], ['WEBSITE_COUNTERS_ASPNET', 'aspnet']] as const;

/** `env` must be the process's own, which asks the system at each reading; a copy of it stays as it was made. That Node is given the computed text is not verified on a live app. */
export function readCounters(env: Env): Counter[] {
  const all = env['WEBSITE_COUNTERS_ALL'];
  const whole = all === undefined ? [] : parseCounters(all, 'all');
  if (whole.length > 0) return whole;
  return VARIABLES.flatMap(([name, group]) => { const text = env[name]; return text === undefined ? [] : parseCounters(text, group); });
}
