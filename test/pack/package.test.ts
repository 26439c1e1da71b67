// Owns the tests of the packages: the same bytes each time, opened by a strict reader and by a real NuGet client, with everything that the platform needs and nothing that it must not get.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { find, openPackage, parse, readZip, type Element, type Package } from './opc-reader.ts';

const execute = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const hasNuget = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'nuget')));

let top: string;
let version: string;
let bytes: Buffer;
let zipped: Buffer;
let opened: Package;
let content: Map<string, Buffer>;

async function pack(folder: string): Promise<{ nupkg: Buffer; zip: Buffer }> {
  await execute(process.execPath, ['--import', 'tsx', join(root, 'scripts/pack.ts'), folder, '--built'], { cwd: root });
  const file = (ending: string): Promise<Buffer> => readFile(join(folder, `AppServiceDiag.${version}.${ending}`));
  return { nupkg: await file('nupkg'), zip: await file('zip') };
}

before(async () => {
  top = await mkdtemp(join(tmpdir(), 'pack-'));
  ({ version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string });
  ({ nupkg: bytes, zip: zipped } = await pack(join(top, 'first')));
  opened = openPackage(bytes);
  content = readZip(zipped);
});
after(async () => { await rm(top, { recursive: true, force: true }); });

const text = (name: string): string => content.get(name)?.toString('utf8') ?? assert.fail(`there is no ${name}`);

test('packed again the bytes are the same', async () => {
  const again = await pack(join(top, 'second'));
  assert.ok(again.nupkg.equals(bytes) && again.zip.equals(zipped));
});

test('both are below 15 MiB, and the one has below content/ what the other has', () => {
  for (const one of [bytes, zipped]) assert.ok(one.length < 15 * 2 ** 20, `${one.length} bytes`);
  const installed = new Map([...opened.parts].filter(([name]) => name.startsWith('/content/')).map(([name, body]) => [name.slice('/content/'.length), body]));
  assert.deepEqual([...installed.keys()].sort(), [...content.keys()].sort());
  for (const [name, body] of installed) assert.ok(content.get(name)?.equals(body), name);
});

test('the nuspec says what the platform looks for', () => {
  const said = (name: string): string | undefined => find(opened.manifest, 'metadata', name)?.text;
  assert.deepEqual([said('id'), said('version')], ['AppServiceDiag', version]);
  assert.ok(said('tags')?.split(' ').includes('AzureSiteExtension'));
  assert.deepEqual(find(opened.manifest, 'metadata', 'packageTypes', 'packageType')?.attributes, { name: 'AzureSiteExtension' });
  for (const name of ['title', 'authors', 'description']) assert.ok((said(name) ?? '').length > 0, name);
  assert.equal(find(opened.properties, 'dc:identifier')?.text, 'AppServiceDiag');
});

test('a real NuGet client installs it', { skip: hasNuget || process.env['CI'] === 'true' ? false : 'SKIPPED: no nuget on this machine (Debian: apt-get install nuget)' }, async () => {
  const out = join(top, 'installed');
  await execute('nuget', ['install', 'AppServiceDiag', '-Source', join(top, 'first'), '-OutputDirectory', out, '-NonInteractive'], { cwd: top, env: { ...process.env, HOME: top } });
  const folder = join(out, `AppServiceDiag.${version}`, 'content');
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name).slice(folder.length + 1));
  assert.deepEqual(files.sort(), [...content.keys()].sort());
  assert.ok((await readFile(join(folder, 'dist/main.js'))).equals(content.get('dist/main.js') ?? Buffer.alloc(0)));
});

test('nothing is compiled or fetched at the installation, and nothing of ours that must not leave is in it', () => {
  for (const name of content.keys()) {
    assert.doesNotMatch(name, /\.(tsx?|map|tgz|cc|hh|c|h|gyp)$|package-lock|^(test|src|scripts|\.\w+)\//, name);
    for (const secret of ['/work/', root]) assert.ok(!content.get(name)?.includes(secret), `${name} names a path of the machine that packed it`);
  }
  for (const name of ['install.cmd', 'uninstall.cmd', 'webjob/run.cmd', 'diag.cmd']) {
    assert.doesNotMatch(text(name), /\b(npm|npx|curl|powershell|msbuild|node-gyp|bitsadmin|certutil)\b/i, name);
    assert.match(text(name), /^@echo off\r\n/);
    assert.doesNotMatch(text(name), /(?<!\r)\n/, `${name} has the line ends of Windows`);
  }
});

test('programs, page, native part, licences and bill of materials are in it', () => {
  for (const name of ['server.js', 'dist/main.js', 'dist/cli.js', 'dist/analyze-worker.js', 'dist/lib-express.js', 'public/index.html', 'public/assets/app.js', 'web.config', 'applicationHost.xdt', 'webjob/settings.job', 'LICENSES.txt', 'sbom.cdx.json']) assert.ok(content.has(name), name);
  const native = content.get('dist/node_modules/@koromix/koffi-win32-x64/win32_x64/koffi.node') ?? assert.fail('no native part');
  assert.equal(native.toString('latin1', 0, 2), 'MZ');
  assert.equal(native.readUInt16LE(native.readUInt32LE(0x3c) + 4), 0x8664, 'for x64');
  const bom = JSON.parse(text('sbom.cdx.json')) as { bomFormat: string; components: { name: string; version: string; purl: string; licenses: { license: { id: string } }[] }[] };
  assert.equal(bom.bomFormat, 'CycloneDX');
  const names = new Set(bom.components.map((one) => one.name));
  for (const name of ['express', 'ws', 'zod', 'preact', 'uplot', 'koffi', '@koromix/koffi-win32-x64', 're2js', 'saxes']) assert.ok(names.has(name), `${name} in the bill of materials`);
  for (const name of ['esbuild', 'typescript', 'playwright-core', '@duckdb/node-api']) assert.ok(!names.has(name), `${name} is not shipped`);
  for (const { name, version: v } of bom.components) assert.ok(text('LICENSES.txt').includes(`\n${name} ${v} (`), `the licence of ${name}`);
});

test('what the bundled programs require is in the package or in Node', async () => {
  const { builtinModules } = await import('node:module');
  const inside = new Set(content.keys());
  for (const [name, body] of content) {
    if (!/^dist\/[\w-]+\.js$/.test(name)) continue;
    for (const [, wanted = ''] of body.toString('utf8').matchAll(/\brequire\(["']([^"']+)["']\)/g)) {
      const known = wanted.startsWith('node:') || builtinModules.includes(wanted) || inside.has(`dist/${wanted.replace(/^\.\//, '')}`) || inside.has(`dist/node_modules/${wanted}/package.json`);
      // Looked for in a try, by packages that do without.
      assert.ok(known || ['bufferutil', 'utf-8-validate', 'supports-color', 'osx-temperature-sensor', 'macos-temperature-sensor'].includes(wanted), `${name} requires ${wanted}`);
    }
  }
});

const attributes = (...path: readonly string[]): Readonly<Record<string, string>> => find(config(), ...path)?.attributes ?? assert.fail(`no ${path.join('/')}`);
const config = (): Element => parse(content.get('web.config') ?? assert.fail('no web.config'));
/** iisnode reads no others: a word it does not know is a 500.19. */
const IISNODE = 'nodeProcessCommandLine interceptor nodeProcessCountPerApplication maxConcurrentRequestsPerProcess maxNamedPipeConnectionRetry namedPipeConnectionRetryDelay maxNamedPipeConnectionPoolSize maxNamedPipePooledConnectionAge asyncCompletionThreadCount initialRequestBufferSize maxRequestBufferSize watchedFiles uncFileChangesPollingInterval gracefulShutdownTimeout logDirectory debuggingEnabled debugHeaderEnabled debuggerPortRange debuggerPathSegment maxLogFileSizeInKB maxTotalLogFileSizeInKB maxLogFiles loggingEnabled devErrorsEnabled flushResponse enableXFF promoteServerVars configOverrides node_env idlePageOutTimePeriod recycleSignalEnabled'.split(' ');

test('web.config: each fact of iisnode', () => {
  const server = (...path: readonly string[]): Readonly<Record<string, string>> => attributes('system.webServer', ...path);
  const handler = server('handlers', 'add');
  assert.deepEqual([handler['modules'], handler['verb']], ['iisnode', '*']);
  const entry = handler['path'] ?? '';
  assert.ok(content.has(entry), 'the handler is for a file that is there');
  const rules = find(config(), 'system.webServer', 'rewrite', 'rules')?.children ?? [];
  assert.deepEqual(rules.map((one) => one.name), ['clear', 'rule'], 'rules of the parent do not come first');
  assert.deepEqual([server('rewrite', 'rules', 'rule', 'match')['url'], server('rewrite', 'rules', 'rule', 'action')], ['.*', { type: 'Rewrite', url: entry }], 'every URL goes to node: no file of the folder is served by IIS');
  assert.equal(server('webSocket')['enabled'], 'false', 'the upgrade reaches node');
  assert.equal(server('httpErrors')['existingResponse'], 'PassThrough');
  const iisnode = server('iisnode');
  assert.deepEqual([iisnode['flushResponse'], iisnode['devErrorsEnabled'], iisnode['debuggingEnabled'], iisnode['nodeProcessCountPerApplication']], ['true', 'false', 'false', '1']);
  assert.ok(Number(iisnode['gracefulShutdownTimeout']) >= 8_000, 'longer than the agent needs to end');
  for (const watched of (iisnode['watchedFiles'] ?? '').split(';')) assert.ok(content.has(watched) && !watched.includes('*'), `${watched} is one file that nobody writes at run time`);
  assert.match(iisnode['logDirectory'] ?? '', /^\.\.\\\.\.\\LogFiles\\/, 'it writes nothing into its own folder');
  for (const word of Object.keys(iisnode)) assert.ok(IISNODE.includes(word), `iisnode knows ${word}`);
});

test('the WebJob runs the installed program, on every instance', () => {
  assert.match(text('webjob/run.cmd'), /set "PROGRAM=%HOME%\\SiteExtensions\\AppServiceDiag\\server\.js"/);
  assert.match(text('webjob/run.cmd'), /^node "%PROGRAM%"/m);
  assert.equal((JSON.parse(text('webjob/settings.job')) as { is_singleton: boolean }).is_singleton, false);
  assert.match(text('install.cmd'), /%HOME%\\site\\jobs\\continuous\\AppServiceDiag/);
  assert.match(text('uninstall.cmd'), /%HOME%\\site\\jobs\\continuous\\AppServiceDiag/);
});
