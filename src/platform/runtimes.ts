// Owns finding the runtimes on the PATH: each program started once to say its version, with little time, little output and none of our secrets.
import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { sayError } from '../shared/errors.ts';
import type { Runtime } from '../shared/surroundings.ts';
import type { Env } from './identity.ts';
import { run } from './run.ts';

interface Kind { readonly name: Runtime['name']; readonly programs: readonly string[]; readonly args: readonly string[]; readonly version: RegExp }

/** Most say it on stdout, older Java on stderr. A machine may have .NET without its SDK: its runtimes are listed, the newest last. */
const KINDS: readonly Kind[] = [
  { name: 'Node.js', programs: ['node'], args: ['--version'], version: /^v(\d[\w.+-]*)/m },
  { name: 'Python', programs: ['python3', 'python'], args: ['--version'], version: /^Python (\d[\w.+-]*)/m },
  { name: 'PHP', programs: ['php'], args: ['--version'], version: /^PHP (\d[\w.+-]*)/m },
  { name: 'Java', programs: ['java'], args: ['-version'], version: /version "?(\d[\w.+-]*)"?/ },
  { name: '.NET', programs: ['dotnet'], args: ['--list-runtimes'], version: /(?:[\s\S]*\n)?Microsoft\.NETCore\.App (\d[\w.+-]*)/ },
];

/** A Java on a cold disk needs a second; what needs longer is told without a version. */
const LIMIT_MS = 5_000;
const MAX_OUTPUT_BYTES = 64 * 1024;
/** A PATH may name many folders; more than this is not somebody's wish. */
const MAX_FOLDERS = 100;
/** What a program may need to start at all. No settings of the site, and no NODE_OPTIONS: nothing but its version is wanted of it. */
const PASSED = ['PATH', 'Path', 'SystemRoot', 'SYSTEMROOT', 'windir', 'TEMP', 'TMP', 'LD_LIBRARY_PATH', 'LANG'] as const;

export async function findRuntimes(env: Env, windows: boolean, signal: AbortSignal): Promise<Runtime[]> {
  const folders = foldersOf(env['PATH'] ?? env['Path'] ?? '', windows);
  const passed = Object.fromEntries(PASSED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  const found: Runtime[] = [];
  // One after the other: they are asked rarely, and the app has the processors.
  for (const kind of KINDS) {
    const path = await firstOf(kind.programs, folders, windows);
    if (path !== undefined) found.push({ name: kind.name, path, ...await versionOf(path, kind, passed, signal) });
  }
  const npm = await npmBeside(found.find(({ name }) => name === 'Node.js')?.path, windows);
  return npm === undefined ? found : [...found.slice(0, 1), npm, ...found.slice(1)];
}

/** Relative entries would be somewhere else in each folder. */
export function foldersOf(path: string, windows: boolean): string[] {
  const parts = path.split(windows ? ';' : ':').map((part) => part.trim().replace(/^"(.*)"$/, '$1'));
  return [...new Set(parts.filter((part) => isAbsolute(part)))].slice(0, MAX_FOLDERS);
}

async function firstOf(programs: readonly string[], folders: readonly string[], windows: boolean): Promise<string | undefined> {
  for (const program of programs) {
    for (const folder of folders) {
      const path = join(folder, windows ? `${program}.exe` : program);
      if (await isProgram(path, windows)) return path;
    }
  }
  return undefined;
}

/** The Store's stand-ins on Windows are empty files: started, they open a shop. */
async function isProgram(path: string, windows: boolean): Promise<boolean> {
  try {
    const seen = await stat(path);
    return seen.isFile() && seen.size > 0 && (windows || (seen.mode & 0o111) !== 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;     // not there, or not for us
    throw error;
  }
}

async function versionOf(path: string, { args, version }: Kind, env: Env, signal: AbortSignal): Promise<Pick<Runtime, 'version' | 'because'>> {
  try {
    const { stdout, stderr, exitCode } = await run(path, args, { signal, limitMs: LIMIT_MS, maxOutputBytes: MAX_OUTPUT_BYTES, env });
    const said = version.exec(`${stdout}\n${stderr}`)?.[1];
    return said === undefined ? { because: `it said no version and ended with ${exitCode}` } : { version: said.slice(0, 60) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { because: sayError(error) };
  }
}

/** npm is a script: its own package says its version, and nothing is started. */
async function npmBeside(node: string | undefined, windows: boolean): Promise<Runtime | undefined> {
  if (node === undefined) return undefined;
  const { readFile, realpath } = await import('node:fs/promises');
  const folder = join(await realpath(node), '..');
  const path = windows ? join(folder, 'node_modules', 'npm') : join(folder, '..', 'lib', 'node_modules', 'npm');
  try {
    const version = /"version":\s{0,4}"([\w.+-]{1,60})"/.exec(await readFile(join(path, 'package.json'), 'utf8'))?.[1];
    return version === undefined ? undefined : { name: 'npm', path, version };
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
