// Owns the search over modules and open files of all processes: bounded in time and answers, and what was not searched is told.
import { DiagError, sayError } from '../shared/errors.ts';
import type { ProcessInfo } from '../shared/model.ts';
import type { ProcessFound, ProcessSearch, SearchKind } from '../shared/processes.ts';
import type { Platform } from '../platform/platform.ts';

/** 50 processes take some 50 to 200 ms; a machine full of leaking ones is cut, and the page says where. */
const LIMIT_MS = 5_000;
/** One process that leaks must not fill the answer alone. */
const OF_ONE = 200;

export interface Searched { readonly text: string; readonly kinds: readonly SearchKind[]; readonly limit: number; mask(text: string): string }

/** Texts are matched as they are shown: a masked secret cannot be found by guessing at it. */
export async function searchProcesses(platform: Platform, processes: readonly ProcessInfo[], wanted: Searched, signal: AbortSignal): Promise<ProcessSearch> {
  const began = platform.clock.monotonic();
  const kinds = wanted.kinds.filter((kind) => abilityOf(platform, kind).yes);
  const found: ProcessFound[] = [];
  const refused: ProcessSearch['refused'] = [];
  let more = 0;
  let searched = 0;
  for (const one of processes) {
    if (platform.clock.monotonic() - began > LIMIT_MS) break;
    const texts = await textsOf(platform, one, kinds, signal);
    if ('because' in texts) refused.push({ pid: one.pid, name: one.name, why: texts.because });
    else {
      const hits = hitsIn(texts.value, one, wanted);
      const room = Math.max(0, Math.min(OF_ONE, wanted.limit - found.length));
      found.push(...hits.slice(0, room));
      more += Math.max(0, hits.length - room);
    }
    searched += 1;
    await breath();
  }
  const missing = wanted.kinds.flatMap((kind) => { const { yes, because } = abilityOf(platform, kind); return yes ? [] : [{ kind, because: because ?? 'not possible here' }]; });
  return { at: platform.clock.now(), found, more, searched, of: processes.length, complete: searched === processes.length, tookMs: Math.round(platform.clock.monotonic() - began), refused, missing };
}

const abilityOf = (platform: Platform, kind: SearchKind): ReturnType<Platform['can']> => platform.can(kind === 'modules' ? 'modules' : 'open-files');

/** /proc is read in one go: between two processes others get their turn. */
const breath = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

type Texts = readonly { readonly kind: SearchKind; readonly text: string }[];

async function textsOf(platform: Platform, { pid }: ProcessInfo, kinds: readonly SearchKind[], signal: AbortSignal): Promise<{ value: Texts } | { because: string }> {
  return await settled((async () => {
    const texts: { kind: SearchKind; text: string }[] = [];
    if (kinds.includes('modules')) for (const { path } of await platform.modules(pid, signal)) texts.push({ kind: 'modules', text: path });
    if (kinds.includes('files')) for (const text of await platform.openFiles(pid, signal)) texts.push({ kind: 'files', text });
    return texts;
  })());
}

/** A program that has a file open many times, or mapped and open, is one answer each. */
function hitsIn(texts: Texts, { pid, startedAt, name, role }: ProcessInfo, { text, mask }: Searched): ProcessFound[] {
  const sought = text.toLowerCase();
  const hits = new Map<string, ProcessFound>();
  for (const one of texts) {
    if (!one.text.toLowerCase().includes(sought)) continue;
    const shown = mask(one.text);
    if (shown.toLowerCase().includes(sought)) hits.set(`${one.kind} ${shown}`, { pid, startedAt, name, role, kind: one.kind, text: shown });
  }
  return [...hits.values()];
}

/** A value, or the sentence why there is none: partial answers say what is missing. */
export async function settled<T>(work: Promise<T>): Promise<{ value: T } | { because: string }> {
  try {
    return { value: await work };
  } catch (error) {
    if (error instanceof DiagError) return { because: sayError(error) };
    throw error;
  }
}
