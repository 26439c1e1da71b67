// Owns the mask for text that leaves the agent: patterns of secrets, and the very values that the site's processes hold.
import type { Change, Now, ProcessInfo } from '../shared/model.ts';
import type { AgentLog as Log } from '../platform/log.ts';
import type { Platform, Variable } from '../platform/platform.ts';
import type { Observed } from '../observe/observe.ts';
import { makeMasker, type Masker } from '../analyze/masker.ts';
import { workerOf } from '../analyze/target.ts';
import { maskedRow } from './masked.ts';

export { maskedReport, maskedRow } from './masked.ts';

/** A new worker is in the list a second after its start, and what it logs can be on a page then. */
const LEARN_EVERY_MS = 1_000;
/** Processes whose variables are read, the worker's first: those of a site share its settings. */
const MAX_PROCESSES = 8;
/** Variables remembered, the newest: a site has a hundred or two, and logs repeat for days what a setting was before it was changed. */
const MAX_VARIABLES = 2_000;

type Mask = (text: string) => string;

export interface Masking { mask(text: string): string; masker(): Masker; readonly stopped: Promise<void> }

export function startMasking(platform: Platform, observed: Pick<Observed, 'processes'>, log: Pick<Log, 'error'>, signal: AbortSignal): Masking {
  const known = new Map<string, Variable>();
  let masker = makeMasker([]);
  let learnedFrom = '';
  const learn = async (): Promise<void> => {
    const site = workerFirst(observed.processes()).slice(0, MAX_PROCESSES);
    const from = site.map((p) => `${p.pid}:${p.startedAt}`).join(' ');
    if (from === learnedFrom || site.length === 0 || !platform.can('environment').yes) return;
    const read = await Promise.allSettled(site.map((p) => platform.environment(p.pid, signal)));   // a process that went or refuses: the patterns still mask
    const fresh = read.flatMap((r) => (r.status === 'fulfilled' ? r.value : [])).filter((v) => !known.has(keyOf(v)));
    for (const variable of fresh) known.set(keyOf(variable), variable);
    for (const oldest of known.keys()) { if (known.size <= MAX_VARIABLES) break; known.delete(oldest); }
    if (fresh.length > 0) masker = makeMasker([...known.values()].reverse());
    if (read.every((r) => r.status === 'fulfilled')) learnedFrom = from;
  };
  const run = async (): Promise<void> => {
    for await (const _ of platform.clock.every(LEARN_EVERY_MS, signal)) {
      void _;
      try {
        await learn();
      } catch (error) {
        log.error('the secrets of the site could not be learned', {}, error);
      }
    }
  };
  return { mask: (text) => masker.text(text).text, masker: () => masker, stopped: run() };
}

function workerFirst(processes: readonly ProcessInfo[]): readonly ProcessInfo[] {
  const worker = workerOf(processes);
  const others = processes.filter((p) => p.ours !== true && p !== worker);
  return worker ? [worker, ...others] : others;
}

const keyOf = ({ name, value }: Variable): string => `${name}=${value}`;

export function maskedChange(change: Change, mask: Mask): Change {
  return { ...change, title: mask(change.title), ...(change.detail === undefined ? {} : { detail: mask(change.detail) }) };
}

/** The platform masks a command line by its form; here the values that the site's variables hold are known too. */
export function maskedInfo(info: ProcessInfo, mask: Mask): ProcessInfo {
  return info.commandLine === undefined ? info : { ...info, commandLine: mask(info.commandLine) };
}

/** The landing page quotes what the app wrote: its errors, and the sentences made of them. */
export function maskedNow(now: Now, mask: Mask): Now {
  return {
    ...now,
    health: { ...now.health, reason: mask(now.health.reason) },
    verdict: mask(now.verdict),
    detail: now.detail.map(mask),
    changes: now.changes.map((change) => maskedChange(change, mask)),
    failed: now.failed.map((row) => maskedRow(row, mask)),
    errors: now.errors.map((line) => ({ ...line, text: mask(line.text) })),
  };
}
