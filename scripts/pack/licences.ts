// Owns what the package says of the works of others in it: their licences as one text, and the bill of materials (CycloneDX 1.5).
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Component { readonly name: string; readonly version: string; readonly licence: string; readonly text: string; readonly integrity?: string }

/** paths: folders of npm packages, relative to the root. A package without a licence cannot be shipped. @throws Error naming it */
export async function componentsOf(root: string, paths: readonly string[]): Promise<Component[]> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, { version: string; license?: string; integrity?: string } | undefined> };
  const found = await Promise.all(paths.map(async (path) => {
    const locked = lock.packages[path];
    if (locked?.license === undefined) throw new Error(`${path} is bundled, and the lockfile does not say under which licence`);
    const name = path.replace(/^.*node_modules\//, '');
    return { name, version: locked.version, licence: locked.license, text: await textIn(join(root, path)), ...(locked.integrity === undefined ? {} : { integrity: locked.integrity }) };
  }));
  const unique = new Map(found.map((one) => [`${one.name}@${one.version}`, one]));
  return [...unique.values()].sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

/** The licence's text as the package brings it; some bring none, then its name must do. */
async function textIn(folder: string): Promise<string> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';       // a native part for another system is not installed here
    throw error;
  }
  const file = names.filter((name) => /^(licen[cs]e|copying)([.-]|$)/i.test(name)).sort()[0];
  return file === undefined ? '' : (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n').trim();
}

export function licencesText(components: readonly Component[]): string {
  const rule = '-'.repeat(72);
  const parts = components.map(({ name, version, licence, text }) => `${rule}\n${name} ${version} (${licence})\n\n${text === '' ? 'The package brings no licence text; its licence is the one named above.' : text}\n`);
  return `App Service Diagnostics contains the works of others, under these licences:\n\n${parts.join('\n')}`;
}

export function billOfMaterials(version: string, components: readonly Component[]): string {
  const bom = {
    bomFormat: 'CycloneDX', specVersion: '1.5', version: 1,
    metadata: { component: { type: 'application', name: 'AppServiceDiag', version, licenses: [{ license: { id: 'MIT' } }] } },
    components: components.map(({ name, version: v, licence, integrity }) => ({
      type: 'library', 'bom-ref': purl(name, v), name, version: v, purl: purl(name, v),
      licenses: [{ license: { id: licence } }],
      ...(integrity === undefined ? {} : { hashes: [hash(integrity)] }),
    })),
  };
  return `${JSON.stringify(bom, undefined, 1)}\n`;
}

const purl = (name: string, version: string): string => `pkg:npm/${name.replace('@', '%40')}@${version}`;

function hash(integrity: string): { alg: string; content: string } {
  const [algorithm = '', digest = ''] = integrity.split('-', 2);
  return { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') };
}
