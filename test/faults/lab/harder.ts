// Owns the hard versions of a recorded fault, made of recordings and not waited for: it sets in after ten healthy minutes, is one of two, or hits one of three instances.
import type { CauseId } from '../../../src/shared/cause.ts';
import type { Expected } from './outcome.ts';
import type { Recorded, Recording } from './recording.ts';
import { answered, headOf, linesOf, moved, movedLine, sameForm, type Line } from './log-lines.ts';

export const HOW = ['late', 'one of two', 'one of three'] as const;
export type How = (typeof HOW)[number];
export interface Harder { readonly how: How; readonly recording: Recording; readonly expected: Expected }

const LATE_MS = 600_000;
/** A recording that reaches back so far has its healthy minutes already. */
const HAS_HISTORY_MS = 300_000;
const isLog = (file: Recorded): boolean => file.kind === 'http-log';

/** The same traffic for ten minutes before, each request answered as its route is when it is well. Undefined: it has such minutes already, or no rows. */
function late(recording: Recording): Recording | undefined {
  const rows = recording.files.filter(isLog).flatMap((file) => linesOf(file.text));
  const first = Math.min(...rows.map((r) => r.at)), last = Math.max(...rows.map((r) => r.at));
  if (rows.length === 0 || last - first > HAS_HISTORY_MS) return undefined;
  const spanMs = Math.max(1_000, last - first + 1_000);
  const files = recording.files.map((file): Recorded => {
    if (!isLog(file)) return file;
    const own = linesOf(file.text), well = answered(own);
    const before: string[] = [];
    for (let back = Math.ceil(LATE_MS / spanMs); back > 0; back -= 1) for (const line of well) if (line.at - back * spanMs >= first - LATE_MS) before.push(movedLine(line.text, -back * spanMs));
    return { ...file, text: [...headOf(file.text), ...before, ...own.map((line) => line.text)].join('\n') + '\n' };
  });
  return { ...recording, window: { from: Math.min(recording.window.from, first - LATE_MS), to: recording.window.to }, files };
}

/** Two more instances that serve the same requests well. */
function oneOfThree(recording: Recording): Recording | undefined {
  const others = recording.files.filter(isLog).flatMap((file): Recorded[] => {
    const well = answered(linesOf(file.text));
    return well.length === 0 ? [] : [1, 2].map((n) => ({ ...file, name: /^[0-9a-f]{6}-/.test(file.name) ? file.name.replace(/^[0-9a-f]{6}/, `${n}a${n}b${n}c`) : `machine-${n}-${file.name}`, text: [...headOf(file.text), ...well.map((line) => line.text)].join('\n') + '\n' }));
  });
  return others.length === 0 ? undefined : { ...recording, files: [...recording.files, ...others] };
}

/** Both at the same time behind one front: the rows stand in one log, everything else beside each other. */
function oneOfTwo(recording: Recording, other: Recording): Recording | undefined {
  const log = recording.files.find(isLog), theirs = other.files.filter(isLog);
  if (!log || theirs.length === 0) return undefined;
  const byMs = Math.round((recording.window.to - other.window.to) / 1_000) * 1_000;
  // Two formats in one file would be read by the first alone.
  if (!sameForm(log.text, theirs[0]?.text ?? '')) return undefined;
  const added = theirs.flatMap((file) => linesOf(moved(file.text, byMs)));
  const rows = [...linesOf(log.text), ...added].map((line, i): Line & { readonly i: number } => ({ ...line, i })).sort((a, b) => a.at - b.at || a.i - b.i);
  const rest = other.files.filter((file) => !isLog(file) && file.name !== 'metrics-site.json').map((file): Recorded => ({ ...file, name: `other-${moved(file.name, byMs)}`, text: moved(file.text, byMs) }));
  return { ...recording, files: [...recording.files.map((file) => (file === log ? { ...file, text: [...headOf(file.text), ...rows.map((line) => line.text)].join('\n') + '\n' } : file)), ...rest] };
}

/** The second of two: an app whose service is gone, or, behind nginx, one whose answers have a head that does not fit. */
const SECOND: Readonly<Record<'local' | 'files', readonly string[]>> = { local: ['dependency-down', 'disk-full'], files: ['nginx-header-too-big', 'php-fatal-error'] };

/** What is not named yet, and why. */
export const OPEN: Readonly<Record<string, string>> = {
  'event-loop-blocked, one of two': 'the second process answers through the pauses of the first, and the log does not tell processes apart; the machine was full as well when it was recorded',
};

export function harderOf(fault: Expected & { readonly front: 'local' | 'files'; readonly app?: string }, recording: Recording, of: (name: string) => { readonly recording: Recording; readonly cause: CauseId; readonly app?: string | undefined } | undefined): Harder[] {
  const made: Harder[] = [];
  const add = (how: How, harder: Recording | undefined, expected: Expected): void => { if (harder) made.push({ how, recording: harder, expected }); };
  add('late', late(recording), fault);
  const second = SECOND[fault.front].map(of).find((one) => one !== undefined && one.cause !== fault.cause && (one.app === undefined || one.app !== fault.app));
  // A control with a trouble is none.
  if (second && fault.cause !== 'healthy') add('one of two', oneOfTwo(late(recording) ?? recording, late(second.recording) ?? second.recording), { ...fault, also: [...fault.also ?? [], ...(fault.orAlso === undefined ? [fault.cause] : []), second.cause], orAlso: [...fault.orAlso ?? [], { cause: second.cause, because: 'it is the other of two' }] });
  add('one of three', oneOfThree(recording), fault);
  return made;
}
