// Owns the command for the pictures: builds the page, takes every page in every state, prints what is wrong, exits 1 if anything is.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

// npm run shots [-- --no-build --assets DIR --no-pictures page… scene…]
const root = resolve(import.meta.dirname, '..');
const args = process.argv.slice(2);
const at = args.indexOf('--assets');
const assetsDir = at < 0 ? join(root, 'public/assets') : resolve(args[at + 1] ?? '');
const words = args.filter((a, i) => !a.startsWith('--') && (at < 0 || i !== at + 1));
if (!args.includes('--no-build') && at < 0) {
  const built = spawnSync(process.execPath, ['--import', 'tsx', join(root, 'scripts/build.ts')], { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) process.exit(1);
}
if (!existsSync(join(assetsDir, 'app.js'))) { process.stderr.write(`There is no app.js in ${assetsDir}: run npm run build.\n`); process.exit(1); }

interface Shots {
  readonly PAGES: Readonly<Record<string, string>>;
  takeShots(options: { root: string; assetsDir: string; pages: readonly string[]; scenes: readonly string[]; pictures: boolean; say(line: string): void }): Promise<{ pictures: number; faults: readonly string[]; firstLoadBytes: number }>;
  writeIndex(root: string): Promise<void>;
}
// The stage belongs to the tests, which stand on the scripts; read by address, so that neither needs the other to compile.
const shots = await import(new URL('../test/support/shots.ts', import.meta.url).href) as Shots;
const pages = words.filter((w) => w in shots.PAGES);
const result = await shots.takeShots({ root, assetsDir, pages, scenes: words.filter((w) => !(w in shots.PAGES)), pictures: !args.includes('--no-pictures'), say: (line) => process.stdout.write(`${line}\n`) });
await shots.writeIndex(root);
process.stdout.write(`${result.pictures} pictures in artifacts/shots; first load ${(result.firstLoadBytes / 1024).toFixed(1)} KB gzip; ${result.faults.length} faults\n`);
process.exit(result.faults.length > 0 ? 1 : 0);
