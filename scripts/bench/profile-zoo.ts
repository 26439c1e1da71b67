// Owns the whole CPU zoo: every program runs under V8's profiler, and the hot path must name its function, file, line and kind.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judgedOf, zooNames } from '../../test/support/cpu-zoo.ts';

const forMs = Number(process.argv[2] ?? 600);
const folder = await mkdtemp(join(tmpdir(), 'diag-cpu-zoo-'));
let right = 0;
const names = await zooNames();
for (const name of names) {
  const { report, expected } = await judgedOf(name, folder, forMs);
  const { hot } = report;
  const good = hot?.function.name === expected.name && hot.function.file?.endsWith(`/${expected.file}`) === true && hot.function.line === expected.line && hot.sign === expected.sign;
  if (good) right += 1;
  process.stdout.write(`${good ? 'right' : 'WRONG'} ${name}: ${hot?.sentence ?? 'nothing'} ${hot?.advice ?? ''}${good ? '' : ` (wanted ${JSON.stringify(expected)})`}\n`);
}
await rm(folder, { recursive: true });
process.stdout.write(`${right} of ${names.length} right\n`);
process.exitCode = right === names.length ? 0 : 1;
