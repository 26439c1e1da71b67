// Owns the packages that a user uploads: the NuGet package of the site extension and the zip for a private one, from a fresh build.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { contentOf } from './pack/content.ts';
import { ID, nupkgOf } from './pack/opc.ts';
import { zipOf } from './pack/zip.ts';

const root = resolve(import.meta.dirname, '..');
/** What a share takes in a few seconds; far below the platform's own limits. */
const MAX_BYTES = 15 * 2 ** 20;

/** Answers the files it wrote. `--built`: what the last build left is packed as it is. */
async function pack(to: string, isBuilt: boolean): Promise<string[]> {
  if (!isBuilt) build();
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const content = await contentOf(root, version);
  const files = [
    { path: join(to, `${ID}.${version}.nupkg`), body: zipOf(nupkgOf(version, content)) },
    { path: join(to, `${ID}.${version}.zip`), body: zipOf(content) },
  ];
  await mkdir(to, { recursive: true });
  for (const { path, body } of files) {
    if (body.length > MAX_BYTES) throw new Error(`${path} has ${body.length} bytes, more than ${MAX_BYTES}`);
    await writeFile(path, body);
    process.stdout.write(`${path}  ${(body.length / 2 ** 20).toFixed(2)} MiB  ${content.length} files  sha256 ${createHash('sha256').update(body).digest('hex')}\n`);
  }
  return files.map(({ path }) => path);
}

function build(): void {
  const built = spawnSync(process.execPath, ['--import', 'tsx', join(root, 'scripts/build.ts')], { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) throw new Error(`the build ended with ${built.status ?? built.signal}`);
}

const given = process.argv.slice(2);
const out = given.find((one) => !one.startsWith('--'));
await pack(resolve(out ?? join(root, 'artifacts/pack')), given.includes('--built'));
