// Owns the rules that a user can begin with: each is whole, bounded, and off until somebody turns it on.
import type { z } from 'zod';
import { Rule, type ActionStep } from '../../shared/rules.ts';

export interface Preset { readonly id: string; readonly about: string; readonly rule: Rule }

const SECOND_MS = 1_000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS;
const EVIDENCE = { type: 'diagnose' } as const;
const DUMP: z.input<typeof ActionStep> = { type: 'collect', diagnosers: [{ id: 'memory-dump' }] };
const RECYCLE = { type: 'recycle', evenIfFailed: true } as const;
const NOTIFY = { type: 'notify', evenIfFailed: true } as const;
/** What the CPU monitoring of the former Support portal began with: 75 %, 30 s, two actions, fourteen days. */
const PORTAL = { cpuPercent: 75, forMs: 30 * SECOND_MS, perDay: 2, days: 14, warmUpMs: HOUR_MS } as const;

/** `now` is when the portal's rules begin: theirs end by themselves. */
export function presets(now: number): readonly Preset[] {
  const cpu = { metric: 'process.cpu', above: PORTAL.cpuPercent, type: 'metric' } as const;
  const portal = { when: cpu, forMs: PORTAL.forMs, warmUpMs: PORTAL.warmUpMs, until: now + PORTAL.days * DAY_MS, limits: { perDay: PORTAL.perDay } };
  return [
    preset('cpu-kill', 'As the portal’s CPU monitoring, mode Kill: a process above 75 % for 30 s is ended.', { ...portal, do: [{ type: 'end-process' }] }),
    preset('cpu-collect', 'As the portal’s CPU monitoring, mode Collect: a dump, nothing else.', { ...portal, do: [DUMP] }),
    preset('cpu-collect-kill', 'As the portal’s CPU monitoring, mode CollectAndKill: a dump, then its end.', { ...portal, do: [DUMP, { type: 'end-process', evenIfFailed: true }] }),
    preset('cpu-collect-kill-analyze', 'As the portal’s CPU monitoring, mode CollectKillAndAnalyze: all of it, and the cause.', { ...portal, do: [DUMP, { type: 'end-process', evenIfFailed: true }, { type: 'diagnose', evenIfFailed: true }] }),
    preset('memory', 'Private bytes of a process at 1.5 GiB for a minute: diagnosed with a dump, then recycled.', { when: { type: 'metric', metric: 'process.private-bytes', above: 1.5 * 2 ** 30 }, forMs: MINUTE_MS, do: [EVIDENCE, DUMP, RECYCLE, NOTIFY], limits: { cooldownMs: 30 * MINUTE_MS, perHour: 1, perDay: 6 } }),
    preset('p95-latency', 'Half a minute of a p95 above 5 s: diagnosed, and somebody is told.', { when: { type: 'metric', metric: 'http.response-p95', above: 5 * SECOND_MS }, forMs: 30 * SECOND_MS, sharePercent: 80, do: [EVIDENCE, NOTIFY], limits: { cooldownMs: 15 * MINUTE_MS } }),
    preset('5xx-share', 'At least 20 failures and 10 % of all requests within a minute: diagnosed, and somebody is told.', { when: { type: 'status', status: '5xx', count: 20, sharePercent: 10, withinMs: MINUTE_MS }, do: [EVIDENCE, NOTIFY], limits: { cooldownMs: 15 * MINUTE_MS } }),
    preset('loop-stall', 'An event loop that stood still for 2 s: a CPU profile, and the cause.', { when: { type: 'metric', metric: 'app.loop-delay', above: 2 * SECOND_MS }, do: [{ type: 'collect', diagnosers: [{ id: 'node-cpu-profile' }] }, EVIDENCE], limits: { cooldownMs: 15 * MINUTE_MS } }),
    preset('crash', 'A process that ended by itself: the cause with what was left, and somebody is told.', { when: { type: 'exit' }, do: [EVIDENCE, NOTIFY], limits: { cooldownMs: 10 * MINUTE_MS } }),
    preset('proactive-memory', 'As the platform’s proactive healing: more than 90 % of the instance’s memory for 30 s.', { when: { type: 'metric', metric: 'site.private-bytes', of: 'host.memory-total', above: 90 }, forMs: 30 * SECOND_MS, do: [EVIDENCE, RECYCLE, NOTIFY], limits: { cooldownMs: HOUR_MS, perDay: 1 } }),
    preset('proactive-slow', 'As the platform’s proactive healing: four of five requests take over 200 s.', { when: { type: 'slow', overMs: 200 * SECOND_MS, count: 10, sharePercent: 80, withinMs: 5 * MINUTE_MS }, do: [EVIDENCE, RECYCLE, NOTIFY], limits: { cooldownMs: HOUR_MS, perDay: 1 } }),
    preset('near-heap-limit', 'The cause heap-limit-reached was found: a sampling heap profile, a recycle, and somebody is told.', { when: { type: 'cause', cause: 'heap-limit-reached' }, do: [{ type: 'collect', diagnosers: [{ id: 'node-heap-profile' }] }, RECYCLE, NOTIFY], limits: { cooldownMs: HOUR_MS, perDay: 3 } }),
  ];
}

/** @throws when a preset breaks its own schema: a programming error */
function preset(id: string, about: string, rule: Omit<z.input<typeof Rule>, 'id'>): Preset {
  return { id, about, rule: Rule.parse({ id, ...rule, enabled: false }) };
}
