// Owns the build: one bundled file per entry into dist/, the page into public/assets/, and the OpenAPI file's check value.
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildKernel } from './build-kernel.ts';
import { buildPreload } from './build-preload.ts';
import { slimCommander } from './slim-commander.ts';
import { slimContract } from './slim-contract.ts';
import { slimExpress } from './slim-express.ts';
import { AGENT_LEAVES, PAGE_LEAVES, slimZod } from './slim-zod.ts';
import { xtermStyles } from './xterm-styles.ts';

const root = resolve(import.meta.dirname, '..');
const version = (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version;

/** Entry → file in dist/. One file each: thousands of small files on a network share cost the start. */
const entries = {
  main: 'src/main.ts',
  cli: 'src/cli/cli.ts',
  diag: 'src/cli/diag-main.ts',
  'diag-http-log': 'src/cli/http-log-main.ts',
  'diag-http-html': 'src/cli/commands/http-log-html.ts',
  'analyze-worker': 'src/analyze/worker-main.ts',
  'dump-helper': 'src/platform/linux/dump/helper-main.ts',
  'fault-watch': 'src/platform/linux/fault/fault-main.ts',
  'windows-dump': 'src/platform/windows/dump-main.ts',
  'http-log-thread': 'src/observe/http-log/scan/thread-main.ts',
  'heap-thread': 'src/analyze/heap/thread-main.ts',
  'management-sdk': 'src/mitigate/management/sdk.ts',
};

/** Parts that are loaded only where they are used: a program of its own each. What they throw is no error class of the others. */
const PARTS: Readonly<Record<string, string>> = { 'diag-main.ts': 'diag', 'http-log-main.ts': 'diag-http-log', 'http-log-html.ts': 'diag-http-html', 'sdk.ts': 'management-sdk' };

/** Packages that an agent at rest never needs: imported at their first use, so that their text takes no memory before. */
const LATER = ['archiver', 'nodemailer', 'pidusage', 'systeminformation', 'yauzl'];
/** Packages that several entries need: a file each, shared by them. V8 takes memory in proportion to the largest text it reads at once, and does not give all of it back. */
const SHARED = ['zod', 'express', 'ws', 're2js', 'saxes', 'commander'];

const parts: Plugin = {
  name: 'parts',
  setup(b) {
    b.onResolve({ filter: new RegExp(`/(${Object.keys(PARTS).join('|')})$`) }, ({ path, kind }) => (kind === 'dynamic-import' ? { path: `./${PARTS[path.slice(path.lastIndexOf('/') + 1)]}.js`, external: true } : undefined));
  },
};

const libraries: Plugin = {
  name: 'libraries',
  setup(b) {
    b.onResolve({ filter: new RegExp(`^(${[...LATER, ...SHARED].join('|')})$`) }, ({ path, kind }) => (kind === 'entry-point' ? undefined : { path: `./lib-${path}.js`, external: true }));
  },
};

const node: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  outdir: join(root, 'dist'),
  sourcemap: 'linked',
  // V8 keeps the text of a program in memory; the linked map keeps its stacks readable (node --enable-source-maps).
  minify: true,
  legalComments: 'none',
  // Both find their native parts beside their own files.
  external: ['koffi', '@lydell/node-pty'],
  // Its file for require() asks for its parts in a way that no bundler sees.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  define: { DIAG_VERSION: JSON.stringify(version), 'import.meta.url': 'diagFileUrl' },
  banner: { js: 'const diagFileUrl=require("node:url").pathToFileURL(__filename).href;' },
  plugins: [slimContract(root), slimZod(AGENT_LEAVES), slimCommander, slimExpress, parts, libraries],
  logLevel: 'warning',
};

const page: BuildOptions = {
  entryPoints: { app: join(root, 'src/client/main.tsx') },
  bundle: true,
  platform: 'browser',
  target: ['es2022'],
  format: 'esm',
  splitting: true,
  minify: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  outdir: join(root, 'public/assets'),
  chunkNames: 'chunk-[hash]',
  define: { DIAG_VERSION: JSON.stringify(version) },
  // Sheets of parts that are read later are adopted by script.
  loader: { '.css': 'text' },
  plugins: [slimContract(root), slimZod(PAGE_LEAVES), xtermStyles],
  logLevel: 'warning',
};

/** One sign beyond Latin-1 (esbuild leaves them in regular expressions) makes V8 keep the whole file at two bytes a character: 3 MB more at rest. */
async function asciiOnly(file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/[^\x00-\x7f]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

/** npm packages of which something is in the output: what a package of ours must name (scripts/pack/licences.ts). */
function packagesIn(...metafiles: readonly Metafile[]): string[] {
  const inputs = metafiles.flatMap(({ outputs }) => Object.values(outputs).flatMap((output) => Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path)));
  return [...new Set(inputs.flatMap((path) => /node_modules\/(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []))].sort();
}

/** The same commit gives the same bytes, wherever it lies. @throws Error naming what was read under a path of this machine */
function refusePlaces(...metafiles: readonly Metafile[]): void {
  const placed = metafiles.flatMap(({ inputs }) => Object.keys(inputs)).find((path) => path.includes(root));
  if (placed !== undefined) throw new Error(`the build would depend on where it lies: ${placed}`);
}

async function dist(): Promise<Metafile[]> {
  const there = Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(join(root, file))).map(([name, file]) => [name, join(root, file)]));
  const { cli: start, ...others } = there;
  const programs = await build({ ...node, metafile: true, entryPoints: others });
  // What does nothing but load another of our files does so by require(): the loader of modules would cost more than the file.
  const starter = await build({ ...node, metafile: true, entryPoints: start === undefined ? {} : { cli: start }, supported: { 'dynamic-import': false } });
  const libs = Object.fromEntries([...LATER, ...SHARED].map((name) => [`lib-${name}`, name]));
  const inApp = await buildPreload(root, join(root, 'dist'), version);
  const shared = await build({ ...node, sourcemap: false, metafile: true, entryPoints: libs });
  await Promise.all([...Object.keys(there), 'preload', 'preload-app', 'preload-catch', 'preload-watchdog', ...Object.keys(libs)].map((name) => asciiOnly(join(root, 'dist', `${name}.js`))));
  await writeFile(join(root, 'dist/package.json'), '{"type":"commonjs"}\n');
  const cli = join(root, 'dist/cli.js');
  if (!existsSync(cli)) return [programs.metafile, starter.metafile, ...inApp, shared.metafile];
  await writeFile(cli, `#!/usr/bin/env node\n${(await readFile(cli, 'utf8')).replace(/^#!.*\n/, '')}`);
  await chmod(cli, 0o755);
  return [programs.metafile, starter.metafile, ...inApp, shared.metafile];
}

await buildKernel();
await mkdir(join(root, 'dist'), { recursive: true });
await rm(join(root, 'public/assets'), { recursive: true, force: true });
const [programs, shown] = await Promise.all([dist(), build({ ...page, metafile: true })]);
refusePlaces(...programs, shown.metafile);
await mkdir(join(root, '.cache'), { recursive: true });
await writeFile(join(root, '.cache/bundled.json'), JSON.stringify({ packages: packagesIn(...programs, shown.metafile), programs: programs.flatMap((m) => Object.keys(m.outputs)).filter((f) => f.endsWith('.js')).sort() }));
