// Owns knowing whether the built agent is as new as its source, and building it when it is not.
import { spawn } from 'node:child_process';
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const BUILT = ['dist/main.js', 'dist/cli.js'];
const SOURCES = ['src', 'public', 'scripts/build.ts', 'package.json'];
/** Built output that lies among the sources. */
const NOT_SOURCES = new Set(['assets', 'node_modules']);

/** Newest change below `path` in epoch ms; 0 when there is nothing. */
async function changedAt(path: string): Promise<number> {
  const found = await statOrNothing(path);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  let newest = 0;
  for (const name of await readdir(path)) {
    if (!NOT_SOURCES.has(name)) newest = Math.max(newest, await changedAt(join(path, name)));
  }
  return newest;
}

async function statOrNothing(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** True when every built file is newer than every source. */
export async function isFresh(checkout: string): Promise<boolean> {
  const sources = Math.max(...(await Promise.all(SOURCES.map((path) => changedAt(join(checkout, path))))));
  const built = await Promise.all(BUILT.map((path) => changedAt(join(checkout, path))));
  return built.every((at) => at > sources);
}

/** Runs the build script. Its output goes to stderr: stdout belongs to the launcher's own lines. Rejects when it fails. */
export async function build(checkout: string, signal: AbortSignal): Promise<void> {
  const script = join(checkout, 'scripts', 'build.ts');
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script], {
    cwd: checkout, stdio: ['ignore', 2, 'inherit'], signal,
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0) throw new Error(`the build ended with code ${code ?? 'none'}`);
}
