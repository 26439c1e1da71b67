// Owns the whole zoo of leaks: every program of test/zoo under a Node of one's choice, two snapshots each; the first suspect must be the marked line, healthy ones must have none. Usage: zoo-heap [node] [program…]
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { judgedProgram, programs } from '../test/analyze/heap/zoo.ts';

const [version = '20', ...only] = process.argv.slice(2);
const cached = resolve(import.meta.dirname, `../.cache/node/${version}/package/bin/node`);
const node = existsSync(cached) ? cached : process.execPath;
process.stdout.write(`Node ${execFileSync(node, ['--version']).toString().trim()}\n`);
const sum = { leaks: 0, two: 0, one: 0, healthy: 0, quiet: 0 };
for (const program of await programs()) {
  if (only.length > 0 && !only.includes(program.name)) continue;
  const { two, one, want } = await judgedProgram(program, node);
  if (program.kind === 'leaks') {
    sum.leaks++;
    if (two?.at === want) sum.two++;
    if (one?.at === want) sum.one++;
    process.stdout.write(`${two?.at === want ? 'right' : 'WRONG'} ${one?.at === want ? 'right' : 'wrong'} ${program.name}: ${two?.title ?? 'nothing'}\n`);
  } else {
    sum.healthy++;
    if (two === undefined) sum.quiet++;
    process.stdout.write(`${two === undefined ? 'quiet' : 'WRONG'} ${program.name}${two === undefined ? '' : `: ${two.title}`}\n`);
  }
}
process.stdout.write(`leaks: ${sum.two} of ${sum.leaks} right from two snapshots, ${sum.one} from one; healthy: ${sum.quiet} of ${sum.healthy} without a suspect\n`);
process.exitCode = sum.two === sum.leaks && sum.quiet === sum.healthy ? 0 : 1;
