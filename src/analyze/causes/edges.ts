// Owns what leads to what: of two causes that claim a row, the one from which a path leads to the other is the deeper one and takes it.
import type { CauseId } from '../../shared/cause.ts';

const CRASHES = ['crash-uncaught-exception', 'crash-unhandled-rejection', 'crash-native', 'exit-unexplained'] as const satisfies readonly CauseId[];
const LIMITS = ['handler-time-limit', 'platform-time-limit'] as const satisfies readonly CauseId[];
const POOLS = ['php-workers-exhausted', 'thread-pool-exhausted', 'connection-pool-exhausted'] as const satisfies readonly CauseId[];
const DOWN = ['startup-failure', 'startup-too-slow', 'wrong-port', 'not-listening'] as const satisfies readonly CauseId[];
const MEMORY = ['memory-leak-js', 'memory-leak-native', 'heap-limit-reached', 'out-of-memory-killed', 'gc-thrashing', 'java-heap-exhausted'] as const satisfies readonly CauseId[];
/** What new code can do. A server outside that is down has its own reason, also when it goes down after a deployment. */
const APP = [...CRASHES, ...DOWN, ...MEMORY, ...POOLS, ...LIMITS, 'application-error', 'php-fatal-error', 'response-header-invalid', 'event-loop-blocked', 'cpu-saturated', 'crash-loop', 'socket-exhaustion', 'descriptor-exhaustion'] as const satisfies readonly CauseId[];

export const EDGES: Readonly<Partial<Record<CauseId, readonly CauseId[]>>> = {
  'bad-deployment': APP,
  'bad-configuration': [...CRASHES, ...DOWN, 'crash-loop', 'application-error', 'dependency-down', 'dns-failure', 'php-fatal-error'],
  'memory-leak-js': ['heap-limit-reached', 'gc-thrashing', 'out-of-memory-killed', 'event-loop-blocked', 'cpu-saturated', 'crash-loop', 'recycled-by-rule'],
  'memory-leak-native': ['out-of-memory-killed', ...CRASHES, 'recycled-by-rule'],
  'heap-limit-reached': [...CRASHES, 'gc-thrashing', 'crash-loop', 'event-loop-blocked'],
  'java-heap-exhausted': ['gc-thrashing', ...CRASHES, 'application-error', 'cpu-saturated', 'thread-pool-exhausted'],
  'gc-thrashing': ['event-loop-blocked', 'cpu-saturated', ...LIMITS],
  'out-of-memory-killed': ['exit-unexplained', 'crash-native', 'crash-loop'],
  'crash-uncaught-exception': ['crash-loop', 'exit-unexplained', 'keep-alive-race', 'one-sick-instance'],
  'crash-unhandled-rejection': ['crash-loop', 'exit-unexplained', 'crash-uncaught-exception', 'keep-alive-race', 'one-sick-instance'],
  'crash-native': ['crash-loop', 'exit-unexplained', 'keep-alive-race', 'one-sick-instance'],
  'developer-errors-hidden': [...CRASHES, 'crash-loop', 'startup-failure'],
  'exit-unexplained': ['crash-loop', 'keep-alive-race', 'one-sick-instance'],
  'crash-loop': ['not-listening', 'keep-alive-race', 'one-sick-instance'],
  'startup-failure': [...CRASHES, 'crash-loop', 'not-listening', 'one-sick-instance', 'startup-too-slow'],
  'wrong-port': ['not-listening', 'startup-too-slow', 'startup-failure', 'exit-unexplained', 'crash-loop', 'one-sick-instance'],
  'startup-too-slow': ['not-listening', 'exit-unexplained', 'one-sick-instance'],
  'not-listening': ['one-sick-instance'],
  'disk-full': ['application-error', 'php-fatal-error', ...CRASHES, 'startup-failure'],
  'dns-failure': ['dependency-down', 'application-error', 'slow-dependency', ...CRASHES, 'startup-failure', ...LIMITS, 'php-fatal-error'],
  'dependency-down': ['application-error', 'slow-dependency', ...POOLS, ...CRASHES, 'startup-failure', ...LIMITS, 'php-fatal-error'],
  'socket-exhaustion': ['dependency-down', 'application-error', 'dns-failure', ...CRASHES, 'slow-dependency'],
  'descriptor-exhaustion': ['dependency-down', 'application-error', 'dns-failure', ...CRASHES, 'keep-alive-race', 'not-listening', 'slow-dependency', ...LIMITS],
  'slow-dependency': [...POOLS, ...LIMITS, 'application-error', 'one-sick-instance'],
  'connection-pool-exhausted': ['application-error', ...LIMITS, ...CRASHES, 'one-sick-instance'],
  'event-loop-blocked': ['cpu-saturated', ...LIMITS, 'slow-dependency', 'one-sick-instance', 'keep-alive-race'],
  'cpu-saturated': [...LIMITS, 'one-sick-instance'],
  'traffic-spike': ['cpu-saturated', ...POOLS, ...LIMITS, 'socket-exhaustion'],
  deadlock: ['thread-pool-exhausted', ...LIMITS, 'one-sick-instance'],
  'java-deadlock': ['deadlock', 'thread-pool-exhausted', ...LIMITS, 'one-sick-instance', 'slow-dependency'],
  'thread-pool-exhausted': [...LIMITS, 'one-sick-instance'],
  'php-workers-exhausted': [...LIMITS, 'not-listening', 'one-sick-instance'],
  'php-fatal-error': ['application-error', ...CRASHES, 'keep-alive-race', 'one-sick-instance'],
  'response-header-invalid': ['application-error', 'keep-alive-race', 'one-sick-instance'],
  'recycled-by-rule': ['exit-unexplained', 'keep-alive-race', 'not-listening', 'one-sick-instance'],
  'recycled-by-user': ['exit-unexplained', 'keep-alive-race', 'not-listening', 'one-sick-instance'],
  'platform-time-limit': ['one-sick-instance'],
  'handler-time-limit': ['one-sick-instance'],
  'application-error': ['one-sick-instance'],
  'keep-alive-race': ['one-sick-instance'],
};

/** Not over any number of steps: only what was seen may say that new code or many visitors broke a server outside. */
const BARRED: Readonly<Partial<Record<CauseId, readonly CauseId[]>>> = { 'bad-deployment': ['dependency-down', 'dns-failure', 'slow-dependency'], 'traffic-spike': ['dependency-down', 'dns-failure', 'application-error'] };

const reached = new Map<CauseId, ReadonlySet<CauseId>>();

/** All that a cause leads to, over any number of steps. */
export function effectsOf(id: CauseId): ReadonlySet<CauseId> {
  const known = reached.get(id);
  if (known) return known;
  const found = new Set<CauseId>();
  const open: CauseId[] = [...EDGES[id] ?? []];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (one === id || found.has(one) || BARRED[id]?.includes(one) === true) continue;
    found.add(one);
    open.push(...EDGES[one] ?? []);
  }
  reached.set(id, found);
  return found;
}

/** Only where no path leads back: of two that may each lead to the other, the surer one counts. */
export function isDeeper(a: CauseId, b: CauseId): boolean {
  return effectsOf(a).has(b) && !effectsOf(b).has(a);
}
