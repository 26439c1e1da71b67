// Owns the unit tests on the newer lines of Node: each version fetched once from npm, then every unit test file run by it.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { runTests } from './run-tests.ts';

const root = resolve(import.meta.dirname, '..');
/** The lines that App Service offers beside the oldest that we promise. */
const LINES = ['22', '24'];

/** The npm package node-<os>-<arch> carries nothing but the binary. */
async function nodeOf(line: string): Promise<string> {
  const folder = join(root, '.cache/node', line);
  const program = join(folder, 'package/bin/node');
  if (existsSync(program)) return program;
  await mkdir(join(root, '.cache/node'), { recursive: true });
  const part = await mkdtemp(join(root, '.cache/node', 'part-'));
  try {
    execFileSync('npm', ['pack', `node-${process.platform}-${process.arch}@${line}`, '--silent', '--pack-destination', part], { cwd: part, stdio: ['ignore', 'ignore', 'inherit'] });
    const archive = (await readdir(part)).find((name) => name.endsWith('.tgz'));
    if (archive === undefined) throw new Error(`npm pack left no file for Node ${line}`);
    execFileSync('tar', ['xzf', archive], { cwd: part });
    await rm(join(part, archive));
    await rename(part, folder);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return program;
}

/** Journeys and the local App Service start whole systems with the Node that the test command itself has. */
async function unitFiles(named: readonly string[]): Promise<string[]> {
  const all = (await readdir(join(root, 'test'), { recursive: true })).filter((f) => /\.test\.tsx?$/.test(f)).map((f) => join('test', f)).sort();
  const unit = all.filter((f) => !/^test\/(journeys|local)\//.test(f));
  return named.length === 0 ? unit : unit.filter((f) => named.some((n) => f.includes(n)));
}

const lines = process.argv.slice(2).filter((one) => /^\d+$/.test(one));
const files = await unitFiles(process.argv.slice(2).filter((one) => !/^\d+$/.test(one)));
for (const line of lines.length > 0 ? lines : LINES) {
  const program = await nodeOf(line);
  const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim();
  // Programs that tests start by name are of the same version.
  const env = { ...process.env, PATH: `${join(program, '..')}:${process.env['PATH'] ?? ''}` };
  const { good, alone } = await runTests(`unit tests on Node ${version} (${files.length} files)`, files, 2, { program, env });
  for (const file of alone) process.stdout.write(`PASSED ONLY ALONE ${file}\n`);
  process.stdout.write(`\n== Node ${version}: ${good ? 'good' : 'failed'}\n`);
  if (!good) process.exitCode = 1;
}
