// Owns what lies in the extension's folder once it is installed: programs, page, native part, and the files by which the platform knows it.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { koffiEntries } from './koffi.ts';
import { billOfMaterials, componentsOf, licencesText } from './licences.ts';
import { xdtOf } from './xdt.ts';
import type { Entry } from './zip.ts';

/** Native or loaded by name: what the bundler does not see. */
const BESIDE = ['node_modules/koffi', 'node_modules/@koromix/koffi-win32-x64'];
/** Where each file of scripts/pack/files goes. */
const FILES: Readonly<Record<string, string>> = {
  'server.js': 'server.js', 'web.config': 'web.config', 'diag.cmd': 'diag.cmd', 'install.cmd': 'install.cmd', 'uninstall.cmd': 'uninstall.cmd', 'run.cmd': 'webjob/run.cmd', 'settings.job': 'webjob/settings.job', 'preload-1.js': 'preload/preload-1.js',
};

/** Reads what the last build left: run the build before. */
export async function contentOf(root: string, version: string): Promise<Entry[]> {
  const bundled = JSON.parse(await readFile(join(root, '.cache/bundled.json'), 'utf8')) as { packages: string[]; programs: string[] };
  const components = await componentsOf(root, [...bundled.packages, ...BESIDE]);
  const text = (name: string, content: string): Entry => ({ name, content: Buffer.from(content) });
  const programs = await Promise.all(bundled.programs.map(async (path) => ({ name: path, content: withoutMap(await readFile(join(root, path), 'utf8')) })));
  const xdt = await xdtOf(root);
  return [
    ...programs,
    text('dist/package.json', '{"type":"commonjs"}\n'),
    text('package.json', `${JSON.stringify({ name: 'app-service-diag', version, private: true, type: 'commonjs', license: 'MIT' })}\n`),
    ...await folderOf(join(root, 'public'), 'public'),
    ...await koffiEntries(root, 'dist/node_modules'),
    ...await Promise.all(Object.entries(FILES).map(async ([from, name]) => text(name, asWindows(name, await readFile(join(import.meta.dirname, 'files', from), 'utf8'))))),
    text('applicationHost.xdt', xdt.shipped),
    text('preload/applicationHost.xdt', xdt.installed),
    text('LICENSES.txt', licencesText(components)),
    text('sbom.cdx.json', billOfMaterials(version, components)),
  ];
}

/** cmd.exe loses its place in files with bare line feeds. */
function asWindows(name: string, content: string): string {
  return name.endsWith('.cmd') ? content.replace(/\r?\n/g, '\r\n') : content;
}

/** The maps stay with the build: twice the size of everything else, for a reader whom we can ask for the version. */
function withoutMap(program: string): Buffer {
  return Buffer.from(program.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'));
}

async function folderOf(folder: string, name: string): Promise<Entry[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(found.filter((one) => one.isFile()).map(async (one) => {
    const path = join(one.parentPath, one.name);
    return { name: `${name}/${path.slice(folder.length + 1).replaceAll('\\', '/')}`, content: await readFile(path) };
  }));
}
