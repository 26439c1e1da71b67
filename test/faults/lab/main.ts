// Owns `npm run faults [name…]`: runs the lab's faults one by one, prints what came of them, keeps the recordings, writes the results.
import { mkdir } from 'node:fs/promises';
import { faults } from '../index.ts';
import type { Fault } from './fault.ts';
import { outcomeOf } from './outcome.ts';
import { diagnosed, keep, RECORDED, recorded } from './recording.ts';
import { writeResults } from './results.ts';
import { lacking, runFault, type Seen } from './run.ts';

/** Judges what was recorded, without running anything. */
const again = process.argv.includes('--again');
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const chosen = faults.filter((f) => wanted.length === 0 || wanted.some((word) => f.name === word || (word.endsWith('*') && f.name.startsWith(word.slice(0, -1)))));
if (chosen.length === 0) { process.stderr.write(`no fault is called so; there are: ${faults.map((f) => f.name).join(', ')}\n`); process.exit(2); }
await mkdir(RECORDED, { recursive: true });
if (process.argv.includes('--results')) { await writeResults(); process.exit(0); }
let wrong = 0;
process.stdout.write(`${'fault'.padEnd(34)} ${'cause found'.padEnd(28)} rank confidence  share click→cause\n`);
for (const fault of chosen) {
  const lacks = again ? [] : lacking(fault);
  if (lacks.length > 0) { process.stdout.write(`${fault.name.padEnd(34)} SKIPPED: ${lacks.join(', ')} is not here\n`); continue; }
  try {
    const { outcome, recording, tookMs } = again ? await judgedAgain(fault) : await runFault(fault);
    if (!again) await keep({ ...recording, tookMs: Math.round(tookMs) });
    if (!outcome.right) wrong += 1;
    process.stdout.write(`${fault.name.padEnd(34)} ${outcome.first.padEnd(28)} ${String(outcome.rank).padStart(4)} ${outcome.word.padEnd(8)} ${outcome.score.toFixed(2)} ${outcome.share.toFixed(2)} ${(tookMs / 1_000).toFixed(1).padStart(6)} s${outcome.right ? '' : '   WRONG'}\n`);
    if (!outcome.right || process.argv.includes('--say')) process.stdout.write(`    ${outcome.title}\n    found: ${outcome.found.join(', ')}${outcome.missing.length > 0 ? `; missing: ${outcome.missing.join(', ')}` : ''}\n`);
  } catch (error) {
    wrong += 1;
    process.stdout.write(`${fault.name.padEnd(34)} BROKE: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
process.stdout.write(`${chosen.length} faults, ${wrong} wrong\n`);
process.exit(wrong > 0 ? 1 : 0);

async function judgedAgain(fault: Fault): Promise<Seen> {
  const recording = await recorded(fault.name);
  const began = performance.now();
  const outcome = outcomeOf(fault, await diagnosed(recording));
  return { recording, outcome, tookMs: performance.now() - began };
}
