// Owns the reading of CPU profiles as evidence: stretches in which the one thread did nothing else, longest first.
import { DiagError } from '../../shared/errors.ts';
import type { ArtifactReader } from '../contracts.ts';
import { oneLine } from '../parse/words.ts';
import { profileReport } from '../profile/report.ts';
import { stackText } from '../profile/words.ts';
import { readOnce } from '../read-once.ts';
import type { StretchEvent } from './event.ts';
import { STALL_MS } from './read-metrics.ts';

const MAX_PROFILES = 4;
const FRAMES_KEPT = 10;

export async function stretchesOf(readers: readonly ArtifactReader[], cancel: AbortSignal): Promise<readonly StretchEvent[]> {
  const found: StretchEvent[] = [];
  for (const reader of readers.slice(0, MAX_PROFILES)) {
    cancel.throwIfAborted();
    found.push(...await ofProfile(reader, cancel));
  }
  return found.sort((a, b) => b.forMs - a.forMs);
}

async function ofProfile(reader: ArtifactReader, cancel: AbortSignal): Promise<StretchEvent[]> {
  const { path } = reader;
  if (path === undefined) return [];
  try {
    const report = await readOnce('profile', path, () => profileReport({ path }, cancel));
    const [longest] = report.format === 'cpuprofile' ? report.stretches : [];
    return longest === undefined || longest.forMs < STALL_MS ? [] : [{ forMs: longest.forMs, frames: longest.frames.slice(0, FRAMES_KEPT).map((frame) => oneLine(stackText(frame), 200)), proof: { where: oneLine(reader.ref.name, 120) } }];
  } catch (error) {
    if (error instanceof DiagError && error.code === 'PROFILE_UNREADABLE') return [];   // told by the judgement of profiles
    throw error;
  }
}
