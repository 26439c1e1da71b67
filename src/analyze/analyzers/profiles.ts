// Owns the judgement of profiles: what blocks the event loop, saturates the CPU or collects garbage all the time, with the function, its file and its line.
import { DiagError } from '../../shared/errors.ts';
import type { Evidence, Finding } from '../../shared/model.ts';
import type { ProfileReport } from '../../shared/profile.ts';
import { duration, percent, plural } from '../../shared/units.ts';
import type { Analyzer, ArtifactReader } from '../contracts.ts';
import { oneLine } from '../parse/words.ts';
import { readOnce } from '../read-once.ts';
import { flameTables } from '../profile/flame-table.ts';
import { profileReport } from '../profile/report.ts';
import { amountText, stackText } from '../profile/words.ts';

/** From here on requests that came meanwhile were late for anyone to see. */
const BLOCKED_MS = 250;
const SATURATED = 0.85;
const COLLECTING = 0.25;
const ROWS_TOLD = 12;
const FRAMES_TOLD = 30;

export const profiles: Analyzer = {
  id: 'profiles',
  title: 'CPU and allocation profiles',
  needs: [],
  needsOne: ['cpu-profile', 'heap-profile'],
  uses: ['cpu-profile', 'heap-profile'],
  async analyze(given, _about, cancel) {
    const findings: Finding[] = [];
    for (const [index, one] of [...(given['cpu-profile'] ?? []), ...(given['heap-profile'] ?? [])].entries()) findings.push(...await judged(one, index === 0 ? '' : `-${index + 1}`, cancel));
    return findings;
  },
};

async function judged(reader: ArtifactReader, suffix: string, cancel: AbortSignal): Promise<Finding[]> {
  if (reader.path === undefined) return [unread(reader, suffix, 'it lies only in memory')];
  try {
    const { path } = reader;
    const report = await readOnce('profile', path, () => profileReport({ path }, cancel));
    return findingsOf(report, suffix).map((one) => ({ ...one, evidence: [...one.evidence, { kind: 'artifact', ref: reader.ref }] }));
  } catch (error) {
    if (error instanceof DiagError && error.code === 'PROFILE_UNREADABLE') return [unread(reader, suffix, String(error.facts['why']))];
    throw error;
  }
}

function unread(reader: ArtifactReader, suffix: string, why: string): Finding {
  return { id: `profile-not-read${suffix}`, area: 'collection', severity: 'cannot-tell', title: `The profile ${oneLine(reader.ref.name)} cannot be read`, why: `${oneLine(why, 300)}.`, advice: 'Take the profile again; where the disk was full, make room first.', evidence: [{ kind: 'artifact', ref: reader.ref }], mitigations: [] };
}

/** The ids are those of causes where the profile alone shows one. */
export function findingsOf(report: ProfileReport, suffix: string): Finding[] {
  const summary = summaryOf(report, suffix);
  if (report.unit !== 'us') return [summary];
  return [...blocked(report, suffix), ...collecting(report, suffix), ...saturated(report, suffix), summary];
}

function blocked(report: ProfileReport, suffix: string): Finding[] {
  const [longest] = report.stretches;
  if (longest === undefined || longest.forMs < BLOCKED_MS || report.format !== 'cpuprofile') return [];
  const long = report.stretches.filter((one) => one.forMs >= BLOCKED_MS);
  return [{
    id: `event-loop-blocked${suffix}`, area: 'process', severity: longest.forMs >= 1_000 ? 'critical' : 'warning',
    title: `The event loop stood still for ${duration(longest.forMs)} in ${oneLine(longest.frames[0] === undefined ? 'one call' : stackText(longest.frames.find((one) => one.category === 'app') ?? longest.frames[0]), 140)}`,
    why: `${oneLine(longest.sentence, 300)} Every other request of the process waited meanwhile; ${plural(long.length, 'such stretch', 'such stretches')} of ${duration(BLOCKED_MS)} and more in the profile.`,
    advice: report.hot?.advice ?? 'Move that work to a worker thread, or cut it into pieces.',
    evidence: [stack(longest.frames, `Stack of the longest stretch, ${duration(longest.atMs)} after the begin`, longest.share), { kind: 'table', title: 'Stretches without anything else', columns: [{ title: 'After the begin', unit: 'ms' }, { title: 'For', unit: 'ms' }, { title: 'What ran', unit: 'text' }], rows: report.stretches.slice(0, ROWS_TOLD).map((one) => [one.atMs, one.forMs, oneLine(one.sentence, 300)]) }], mitigations: [],
  }];
}

function collecting(report: ProfileReport, suffix: string): Finding[] {
  const gc = report.categories.find((one) => one.category === 'gc');
  if (gc === undefined || gc.self < report.busy * COLLECTING || gc.share < COLLECTING / 2) return [];
  return [{ id: `gc-thrashing${suffix}`, area: 'memory', severity: 'warning', title: `${percent((gc.self / report.busy) * 100)} of the CPU time went into collecting garbage`, why: `${amountText(gc.self, report.unit)} of ${amountText(report.busy, report.unit)}; nothing else runs while the collector stops the process.${report.hot?.sign === 'gc' ? ` ${oneLine(report.hot.sentence, 300)}` : ''}`, advice: 'Make fewer objects that live for a while, and bound what is remembered; a heap snapshot shows what fills the heap.', evidence: [], mitigations: [] }];
}

function saturated(report: ProfileReport, suffix: string): Finding[] {
  const share = report.total > 0 ? report.busy / report.total : 0;
  if (share < SATURATED || report.hot === undefined) return [];
  return [{ id: `cpu-saturated${suffix}`, area: 'process', severity: 'warning', title: `The thread of JavaScript was busy ${percent(share * 100)} of the time: ${oneLine(report.hot.sentence.replace(/\.$/, ''), 240)}`, why: 'One thread runs all JavaScript of a Node process; when it has no time left, every request waits.', advice: report.hot.advice, evidence: [stack(report.hot.frames, 'The hot path, innermost first', report.hot.share)], mitigations: [] }];
}

function summaryOf(report: ProfileReport, suffix: string): Finding {
  const { unit } = report;
  const titleOf = (n: number): number => (unit === 'us' ? n / 1e3 : n);
  return {
    id: `${unit === 'bytes' ? 'heap' : 'cpu'}-profile-summary${suffix}`, area: unit === 'bytes' ? 'memory' : 'process', severity: report.notes.some((one) => one.includes('cut off')) ? 'cannot-tell' : 'info',
    title: report.hot === undefined ? 'Nothing of the app ran while the profile was taken' : oneLine(report.hot.sentence.replace(/\.$/, ''), 300),
    why: [`${report.categories.slice(0, 5).map((one) => `${one.category} ${percent(one.share * 100)}`).join(', ')}.`, ...report.notes.map((note) => `${oneLine(note, 300)}.`)].join(' '), advice: report.hot?.advice ?? '',
    evidence: [{ kind: 'table', title: 'Functions that take most', columns: [{ title: 'Function', unit: 'code' }, { title: 'Self', unit: unit === 'us' ? 'ms' : unit === 'bytes' ? 'bytes' : 'count' }, { title: 'Total', unit: unit === 'us' ? 'ms' : unit === 'bytes' ? 'bytes' : 'count' }], rows: report.functions.slice(0, ROWS_TOLD).map((one) => [stackText(one), titleOf(one.self), titleOf(one.total)]), more: Math.max(0, report.functions.length + report.moreFunctions - ROWS_TOLD) }, ...flameTables(report)], mitigations: [],
  };
}

function stack(frames: ProfileReport['stretches'][number]['frames'], title: string, share: number): Evidence {
  return { kind: 'stack', title, share, frames: frames.slice(0, FRAMES_TOLD).map((one) => ({ text: stackText(one), ...(one.category === 'app' ? { ours: true } : {}) })) };
}
