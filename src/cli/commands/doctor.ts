// Owns `diag doctor`: what works here and what does not, with reason and remedy; and its look at a file before the user uploads it.
import { readFile, stat } from 'node:fs/promises';
import { lintXdt } from '../../agent/doctor/xdt.ts';
import type { DoctorCheck } from '../../shared/api.ts';
import { DiagError, sayError } from '../../shared/errors.ts';
import { plural } from '../../shared/units.ts';
import { exitCode } from '../exit.ts';
import { fails, type FailOn, type Remote } from '../options.ts';
import { colour, print, printJson, safe, safeLine, wrap, type Colour } from '../print.ts';
import { withAgent } from '../reach.ts';

const WORDS: Readonly<Record<DoctorCheck['severity'], readonly [string, Colour]>> = { critical: ['bad', 'red'], warning: ['warning', 'yellow'], 'cannot-tell': ['unknown', 'dim'], info: ['note', 'blue'], good: ['good', 'green'] };
const WORD_COLUMNS = Math.max(...Object.values(WORDS).map(([word]) => word.length));
/** Longer files are no transform of an extension. */
const MAX_XDT_BYTES = 1024 * 1024;

export async function doctor(options: Remote & { failOn: FailOn }): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    const answer = await diag.doctor();
    if (fails(answer.checks, options.failOn)) exitCode(1);
    if (options.json) { printJson(answer); return; }
    for (const check of answer.checks) show(check);
    const off = answer.checks.filter((c) => c.severity === 'critical' || c.severity === 'warning').length;
    print();
    print(off === 0 ? 'Everything that was looked at is as it should be.' : `${plural(off, 'thing')} to look at.`);
  });
}

function show({ title, severity, says, remedy }: DoctorCheck): void {
  const [word, shade] = WORDS[severity];
  const lead = `${word.padEnd(WORD_COLUMNS)}  ${safeLine(title)}: `;
  const indent = ' '.repeat(WORD_COLUMNS + 2);
  const [first = '', ...rest] = wrap(safe(says), indent, lead).split('\n');
  print([colour(shade, first.slice(0, WORD_COLUMNS)) + first.slice(WORD_COLUMNS), ...rest].join('\n'));
  if (remedy !== undefined && severity !== 'good') print(colour('dim', wrap(safe(remedy), indent)));
}

/** Exit 1 where the file would take the site down. */
export async function doctorXdt(file: string, options: { json?: boolean }): Promise<void> {
  const faults = lintXdt(await textOf(file));
  if (faults.length > 0) exitCode(1);
  if (options.json) { printJson({ file, faults }); return; }
  for (const { line, why } of faults) print(`${safeLine(file)}:${line}  ${safe(why)}`);
  print(faults.length === 0 ? `${safeLine(file)}: nothing found that would take the site down.` : `${plural(faults.length, 'fault')}: uploaded as it is, both sites may go down.`);
}

async function textOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_XDT_BYTES) throw new DiagError('BAD_INPUT', { why: `${file} has ${size} bytes; a transform has a few hundred` });
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof DiagError) throw error;
    throw new DiagError('BAD_INPUT', { why: `${file} cannot be read: ${sayError(error)}` }, { cause: error });
  }
}
