// Owns the hardening of the profile reader: so many damaged profiles of every format, each ends soon in a report or in a clear error, in bounded memory.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mutated } from '../test/analyze/profile/mutate.ts';
import { DiagError } from '../src/shared/errors.ts';
import { ProfileReport } from '../src/shared/profile.ts';
import { writePprof } from '../src/analyze/profile/pprof.ts';
import { readProfile } from '../src/analyze/profile/read.ts';
import { reportOf } from '../src/analyze/profile/report.ts';
import { writeSpeedscope } from '../src/analyze/profile/speedscope.ts';
import { gunzipSync } from 'node:zlib';

const [folder = '', many = '20000', from = '0'] = process.argv.slice(2);
if (folder === '') { process.stderr.write('usage: fuzz-profile <folder of profiles> [how many] [first seed]\n'); process.exit(2); }
const SLOW_MS = 5_000;
const whole: Uint8Array[] = [];
for (const name of (await readdir(folder)).sort()) {
  const bytes = await readFile(join(folder, name));
  whole.push(bytes);
  if (!name.endsWith('.cpuprofile')) continue;
  const tree = readProfile(bytes, name);
  whole.push(gunzipSync(writePprof(tree)), Buffer.from(writeSpeedscope(tree, name)));
}
const ends = { report: 0, partial: 0, refused: 0 };
let slowest = 0, peak = 0;
for (let seed = Number(from); seed < Number(from) + Number(many); seed += 1) {
  const began = process.hrtime.bigint();
  try {
    const report = ProfileReport.parse(await reportOf(readProfile(mutated(whole, seed), `${seed}`), { file: `${seed}` }));
    ends[report.notes.length > 0 ? 'partial' : 'report'] += 1;
  } catch (error) {
    if (!(error instanceof DiagError) || error.code !== 'PROFILE_UNREADABLE') { process.stderr.write(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}\n`); process.exit(1); }
    ends.refused += 1;
  }
  const forMs = Number(process.hrtime.bigint() - began) / 1e6;
  slowest = Math.max(slowest, forMs);
  if (forMs > SLOW_MS) { process.stderr.write(`seed ${seed} took ${Math.round(forMs)} ms\n`); process.exit(1); }
  peak = Math.max(peak, process.memoryUsage.rss());
}
process.stdout.write(`${many} damaged profiles: ${JSON.stringify(ends)}, slowest ${Math.round(slowest)} ms, peak RSS ${Math.round(peak / 2 ** 20)} MiB\n`);
