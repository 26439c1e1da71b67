// Owns the native part of koffi for the package: the file of the lockfile's version, checked against the lockfile's digest, fetched once when this machine's installation has another one.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { Entry } from './zip.ts';

const execute = promisify(execFile);
const PACKAGE = '@koromix/koffi-win32-x64';
const FETCH_MS = 120_000;

interface Locked { readonly version: string; readonly integrity: string }

/** What node finds as `koffi` from the program's own folder: koffi's files as they are, but for the one that says where the native part lies. */
export async function koffiEntries(root: string, folder: string): Promise<Entry[]> {
  const locked = await lockedOf(root);
  const tar = filesOf(gunzipSync(await fetched(root, locked)));
  const native = (name: string): Buffer => {
    const content = tar.get(`package/${name}`);
    if (!content) throw new Error(`${PACKAGE} has no ${name}`);
    return content;
  };
  const own = join(root, 'node_modules/koffi');
  const { name, version, main, license, cnoke } = JSON.parse(await readFile(join(own, 'package.json'), 'utf8')) as Record<string, unknown>;
  if (version !== locked.version) throw new Error(`koffi is ${String(version)} here, its native part ${locked.version}: install again`);
  const slim = { name, version, license, main, exports: { '.': { default: main } }, cnoke };
  return [
    { name: `${folder}/koffi/package.json`, content: Buffer.from(`${JSON.stringify(slim)}\n`) },
    { name: `${folder}/koffi/index.cjs`, content: await readFile(join(own, 'index.cjs')) },
    { name: `${folder}/koffi/src/koffi/index.cjs`, content: await readFile(join(own, 'src/koffi/index.cjs')) },
    { name: `${folder}/koffi/src/koffi/src/static.cjs`, content: await readFile(join(import.meta.dirname, 'files/koffi-static.cjs')) },
    { name: `${folder}/koffi/LICENSE.txt`, content: await readFile(join(own, 'LICENSE.txt')) },
    ...['package.json', 'index.js', 'win32_x64/koffi.node'].map((file) => ({ name: `${folder}/${PACKAGE}/${file}`, content: native(file) })),
  ];
}

async function lockedOf(root: string): Promise<Locked> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked | undefined> };
  const locked = lock.packages[`node_modules/${PACKAGE}`];
  if (!locked) throw new Error(`the lockfile does not name ${PACKAGE}`);
  return locked;
}

/** The package's archive, from the cache of an earlier run or from the registry; both are checked. */
async function fetched(root: string, { version, integrity }: Locked): Promise<Buffer> {
  const kept = join(root, '.cache/koffi', `win32-x64-${version}.tgz`);
  if (!existsSync(kept)) await fetch(root, kept, version);
  const content = await readFile(kept);
  const [algorithm = '', digest = ''] = integrity.split('-', 2);
  if (createHash(algorithm).update(content).digest('base64') === digest) return content;
  await rm(kept, { force: true });
  throw new Error(`${PACKAGE} ${version} is not what the lockfile says (${integrity}): it was thrown away`);
}

async function fetch(root: string, to: string, version: string): Promise<void> {
  await mkdir(join(root, '.cache/koffi'), { recursive: true });
  const folder = await mkdtemp(join(root, '.cache/koffi/fetch-'));
  try {
    await execute('npm', ['pack', `${PACKAGE}@${version}`, '--silent', '--pack-destination', folder], { cwd: folder, timeout: FETCH_MS });
    const [file] = await readdir(folder);
    if (file === undefined) throw new Error(`npm pack left no file for ${PACKAGE} ${version}`);
    await rename(join(folder, file), to);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const BLOCK_BYTES = 512;

/** Plain files of a tar archive (ustar, as npm makes them), by name. */
function filesOf(tar: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  const text = (at: number, bytes: number): string => tar.toString('latin1', at, at + bytes).replace(/\0.*$/s, '');
  for (let at = 0; at + BLOCK_BYTES <= tar.length && tar[at] !== 0;) {
    const sizeBytes = Number.parseInt(text(at + 124, 12), 8);
    const type = text(at + 156, 1);
    if (type === '0' || type === '') files.set(text(at, 100), tar.subarray(at + BLOCK_BYTES, at + BLOCK_BYTES + sizeBytes));
    at += BLOCK_BYTES + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return files;
}
