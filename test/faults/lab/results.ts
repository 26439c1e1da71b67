// Owns the results of the lab as one text that can be diffed: table, confusion, calibration, reasons, and what taking evidence away did. Of recordings alone, so that the same engine gives the same text.
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { faults } from '../index.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import { HOW, OPEN, harderOf, type How } from './harder.ts';
import { diagnosed, recordings, type Recording } from './recording.ts';
import { SOURCES, movedWest, renamed, verdictOf, without } from './vary.ts';

const FILE = join(resolve(import.meta.dirname, '../../..'), 'docs', 'faults.md');

export interface Judged { readonly outcome: Outcome; readonly recording: Recording; readonly about: string; readonly lost: readonly (readonly [source: string, verdict: string, first: string])[]; readonly shuffled: readonly (readonly [how: string, outcome: Outcome])[]; readonly harder: readonly (readonly [how: How, outcome: Outcome])[] }

export async function judgeAll(): Promise<Judged[]> {
  const judged: Judged[] = [];
  const all = await recordings();
  const of = recordedOf(all);
  for (const recording of all) {
    const fault = faults.find((f) => f.name === recording.fault);
    if (!fault) continue;
    const whole = outcomeOf(fault, await diagnosed(recording));
    const lost: [string, string, string][] = [];
    for (const source of SOURCES) {
      const less = without(recording, source);
      if (less === undefined) continue;
      const outcome = outcomeOf(fault, await diagnosed(less));
      lost.push([source, verdictOf(fault.cause, outcome, whole), outcome.first]);
    }
    const shuffled: [string, Outcome][] = [['other names', outcomeOf(fault, await diagnosed(renamed(recording)))]];
    const west = movedWest(recording);
    if (west) shuffled.push(['another time zone', outcomeOf(fault, await diagnosed(west))]);
    const harder: [How, Outcome][] = [];
    for (const one of harderOf(fault, recording, of)) harder.push([one.how, outcomeOf(one.expected, await diagnosed(one.recording))]);
    judged.push({ recording, outcome: whole, about: fault.about, lost, shuffled, harder });
  }
  return judged;
}

/** What the hard versions are mixed with. */
export function recordedOf(all: readonly Recording[]): Parameters<typeof harderOf>[2] {
  return (name) => {
    const recording = all.find((r) => r.fault === name), fault = faults.find((f) => f.name === name);
    return recording && fault ? { recording, cause: fault.cause, ...(fault.front === 'local' ? { app: fault.app } : {}) } : undefined;
  };
}

function hardText(judged: readonly Judged[]): string {
  const told = (one: Judged, how: How): string => { const found = one.harder.find(([h]) => h === how)?.[1]; return found === undefined ? '-' : `${found.right ? '' : '**not first** '}${found.first === found.cause ? '' : `${found.first}, `}${found.word} ${found.score.toFixed(2)}`; };
  const all = judged.flatMap((j) => j.harder);
  const open = judged.flatMap((j) => j.harder.filter(([, o]) => !o.right).map(([how]) => `- ${j.outcome.name}, ${how}: ${OPEN[`${j.outcome.name}, ${how}`] ?? 'no reason is known'}.`));
  return `Made from the recordings: the same traffic for ten healthy minutes before it (recordings that have such minutes already are not repeated); together with a second fault behind the same front, where both must be found; and as one of three instances that serve the same requests. ${all.length} of them, ${all.filter(([, o]) => o.right).length} with the right cause first.

${table(['fault', ...HOW], judged.map((j) => row(j.outcome.name, ...HOW.map((how) => told(j, how)))))}
${open.length === 0 ? '' : `\n${open.join('\n')}\n`}`;
}

const row = (...cells: readonly (string | number)[]): string => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): string => [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

export function resultsText(judged: readonly Judged[]): string {
  const wrong = judged.filter((j) => !j.outcome.right);
  const confused = new Map<string, number>();
  for (const { outcome } of judged) { const key = `${outcome.cause} → ${outcome.first}`; confused.set(key, (confused.get(key) ?? 0) + 1); }
  const words = ['certain', 'likely', 'possible', '-'].map((word) => { const of = judged.filter((j) => j.outcome.word === word); return row(word, of.length, of.filter((j) => j.outcome.right).length); });
  const lost = judged.flatMap((j) => j.lost.map(([source, verdict, first]) => ({ name: j.outcome.name, source, verdict, first })));
  const counted = SOURCES.map((source) => { const of = lost.filter((l) => l.source === source); return row(source, of.length, ...['right', 'weaker', 'wrong'].map((v) => of.filter((l) => l.verdict === v).length)); });
  return `# What the fault lab found

Written by \`npm run faults -- --results\` from the recordings under test/faults/recorded (real faults, run once, judged by today's engine). ${judged.length} recordings, ${judged.length - wrong.length} with the right cause first.

${table(['fault', 'cause', 'found first', 'rank', 'confidence', 'share', 'click to cause'], judged.map(({ outcome: o, recording: { tookMs } }) => row(o.name, o.cause, o.first, o.rank, `${o.word} ${o.score.toFixed(2)}`, `${Math.round(o.share * 100)} %`, tookMs === undefined ? '-' : `${(tookMs / 1_000).toFixed(1)} s`)))}

## Hard versions

${hardText(judged)}
## Confusion

${table(['true → named first', 'times'], [...confused].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([key, n]) => row(key, n)))}

## Calibration

${table(['said', 'times', 'right'], words)}

## Evidence taken away

${table(['without', 'recordings', 'still right', 'weaker', 'wrong'], counted)}

${lost.filter((l) => l.verdict === 'wrong').map((l) => `- ${l.name} without ${l.source}: ${l.first}`).join('\n') || 'Never wrong.'}

## Shuffled

${judged.flatMap((j) => j.shuffled.filter(([, o]) => o.first !== j.outcome.first || o.word !== j.outcome.word).map(([how, o]) => `- ${j.outcome.name}, ${how}: ${o.first} ${o.word} instead of ${j.outcome.first} ${j.outcome.word}`)).join('\n') || 'Other names, routes, ports, texts and time zones changed no verdict.'}

## Reasons

${judged.map(({ outcome: o, about }) => `### ${o.name}\n\n${about}\n\n> ${o.title}\n\n${o.reasons.map((r) => `- ${r}`).join('\n')}`).join('\n\n')}
`;
}

export async function writeResults(): Promise<void> {
  await writeFile(FILE, resultsText(await judgeAll()));
}
