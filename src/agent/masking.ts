// Owns the mask for text that leaves the agent: patterns of secrets, and the very values that the site's processes hold.
import { maskText } from '../shared/mask.ts';
import type { Change, Now } from '../shared/model.ts';
import type { AgentLog as Log } from '../platform/log.ts';
import type { Platform } from '../platform/platform.ts';
import type { Observed } from '../observe/observe.ts';
import { makeMasker, type Masker } from '../analyze/masker.ts';

/** New workers carry the same settings nearly always; a changed setting restarts the site and is learned within this time. */
const LEARN_EVERY_MS = 5_000;
/** Processes whose variables are read: they share the site's settings. */
const MAX_PROCESSES = 8;

export interface Masking { mask(text: string): string; readonly stopped: Promise<void> }

export function startMasking(platform: Platform, observed: Observed, log: Log, signal: AbortSignal): Masking {
  let masker: Masker | undefined;
  let learnedFrom = '';
  const learn = async (): Promise<void> => {
    const site = observed.processes().filter((p) => p.ours !== true).slice(0, MAX_PROCESSES);
    const from = site.map((p) => `${p.pid}:${p.startedAt}`).join(' ');
    if (from === learnedFrom || site.length === 0 || !platform.can('environment').yes) return;
    const read = await Promise.allSettled(site.map((p) => platform.environment(p.pid, signal)));   // a process that went or refuses: the patterns still mask
    masker = makeMasker(read.flatMap((r) => (r.status === 'fulfilled' ? r.value : [])));
    learnedFrom = from;
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
  return { mask: (text) => (masker ? masker.text(text).text : maskText(text).text), stopped: run() };
}

type Mask = (text: string) => string;

export function maskedChange(change: Change, mask: Mask): Change {
  return { ...change, title: mask(change.title), ...(change.detail === undefined ? {} : { detail: mask(change.detail) }) };
}

/** The landing page quotes what the app wrote: its errors, and the sentences made of them. */
export function maskedNow(now: Now, mask: Mask): Now {
  return {
    ...now,
    health: { ...now.health, reason: mask(now.health.reason) },
    verdict: mask(now.verdict),
    detail: now.detail.map(mask),
    changes: now.changes.map((change) => maskedChange(change, mask)),
    errors: now.errors.map((line) => ({ ...line, text: mask(line.text) })),
  };
}
