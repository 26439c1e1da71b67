// Owns the tests of applicationHost.xdt: in the real engine, over configurations as workers have them, applied once and twice.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { xdtOf } from '../../scripts/pack/xdt.ts';
import { lintXdt } from '../../src/agent/doctor/xdt.ts';
import { VARIABLES, expand, noEngine, outline, refusedByIis, transform } from './xdt-engine.ts';

const root = resolve(import.meta.dirname, '../..');
const skip = noEngine();
const source = (name: string): Promise<string> => readFile(join(import.meta.dirname, 'xdt', `${name}.config`), 'utf8');

const MOUNTED = ['        application path="/diag" applicationPool="~1shop"', '          virtualDirectory path="/" physicalPath="C:\\home\\SiteExtensions\\AppServiceDiag"'];
const REQUIRE = '--require=C:\\home\\SiteExtensions\\AppServiceDiag.Preload\\preload-1.js';
const RUNTIME = ['    runtime', '      environmentVariables'];
const variable = (name: string, value: string): string => `        add name="${name}" value="${value}"`;

/** The outline of a source with the mount as its SCM site's last element, what was there of ours taken out, and another end. */
function mounted(before: readonly string[], end?: readonly string[]): string[] {
  const old = before.findIndex((line) => line.includes('application path="/diag"'));
  const without = old < 0 ? before : before.filter((_, i) => i !== old && i !== old + 1);
  const at = without.findIndex((line) => line === '  system.webServer');
  const webServer = without.slice(at);
  const runtime = webServer.indexOf('    runtime');
  return [...without.slice(0, at), ...MOUNTED, ...(end === undefined ? webServer : [...(runtime < 0 ? webServer : webServer.slice(0, runtime)), ...end])];
}

/** name of the source, app setting NODE_OPTIONS, what follows the modules when the preload is in. */
const CASES: readonly (readonly [string, string | undefined, readonly string[]])[] = [
  ['fresh', undefined, [...RUNTIME, variable('NODE_OPTIONS', REQUIRE)]],
  ['fresh', '--max-old-space-size=4096', [...RUNTIME, variable('NODE_OPTIONS', `--max-old-space-size=4096 ${REQUIRE}`)]],
  ['others', undefined, [...RUNTIME, variable('COR_ENABLE_PROFILING', '1'), variable('APPLICATIONINSIGHTS', 'on'), variable('NODE_OPTIONS', REQUIRE)]],
  ['older', undefined, [...RUNTIME, variable('NODE_OPTIONS', REQUIRE)]],
  ['older', '--trace-warnings', [...RUNTIME, variable('NODE_OPTIONS', `--trace-warnings ${REQUIRE}`)]],
  ['options', undefined, [...RUNTIME, variable('NODE_OPTIONS', '--max-old-space-size=512')]],
];

for (const [name, nodeOptions, runtime] of CASES) {
  const variables = { ...VARIABLES, ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }) };
  for (const preload of [false, true]) {
    test(`${name}, ${nodeOptions ?? 'no NODE_OPTIONS'}: mounted${preload ? ' with the preload' : ''}, once and twice alike`, { skip }, async () => {
      const before = await source(name);
      const { shipped, installed } = await xdtOf(root);
      const xdt = expand(preload ? installed : shipped, variables);
      const once = await transform(before, xdt);
      assert.deepEqual(outline(once), mounted(outline(before), preload ? runtime : undefined));
      assert.deepEqual(refusedByIis(once), []);
      assert.deepEqual(outline(await transform(once, xdt)), outline(once));
    });
  }
}

test('the file of the repository is what is shipped, and touches the main site with nothing', async () => {
  const own = await readFile(join(root, 'applicationHost.xdt'), 'utf8');
  assert.equal((await xdtOf(root)).shipped, own);
  assert.deepEqual(lintXdt(own), []);
  assert.doesNotMatch(own, /NODE_OPTIONS|XDT_SITENAME/);
});

/** Broken as extensions were broken: the linter refuses each, and the engine shows why. */
const BROKEN: readonly { name: string; of?: string; text: string; why: RegExp; shows: (run: Promise<string>) => Promise<void> }[] = [
  {
    name: 'a path that is inserted without being removed', of: 'older',
    text: site('<application path="/diag" applicationPool="%XDT_APPPOOLNAME%" xdt:Transform="Insert"><virtualDirectory path="/" physicalPath="%XDT_EXTENSIONPATH%" /></application>'),
    why: /without being removed first/, shows: async (run) => { assert.deepEqual(refusedByIis(await run), ['application "/diag" twice']); },
  },
  {
    name: 'a path that is inserted twice',
    text: site('<application path="/diag" xdt:Locator="Match(path)" xdt:Transform="Remove" /><application path="/diag" xdt:Transform="Insert"><virtualDirectory path="/" physicalPath="%XDT_EXTENSIONPATH%" /></application><application path="/diag" xdt:Transform="Insert"><virtualDirectory path="/" physicalPath="%HOME%\\x" /></application>'),
    why: /a second time/, shows: async (run) => { assert.deepEqual(refusedByIis(await run), ['application "/diag" twice']); },
  },
  {
    name: 'a variable inserted inside of what is inserted',
    text: whole('<system.webServer><runtime xdt:Transform="InsertIfMissing"><environmentVariables><add xdt:Locator="Condition(@name=\'A\')" xdt:Transform="Remove" /><add name="A" value="1" xdt:Locator="Match(name)" xdt:Transform="InsertIfMissing" /></environmentVariables></runtime></system.webServer>'),
    why: /inserted with all it holds/, shows: async (run) => { assert.ok(refusedByIis(await run).includes('a variable without a name')); },
  },
  {
    name: 'a site without a locator',
    text: whole('<system.applicationHost><sites><site name="%XDT_SCMSITENAME%"><application path="/diag" xdt:Locator="Match(path)" xdt:Transform="Remove" /><application path="/diag" xdt:Transform="Insert"><virtualDirectory path="/" physicalPath="%XDT_EXTENSIONPATH%" /></application></site></sites></system.applicationHost>'),
    why: /needs xdt:Locator="Match\(name\)"/,
    shows: async (run) => { const lines = outline(await run); assert.ok(lines.indexOf(MOUNTED[0] ?? '') < lines.findIndex((line) => line.includes('site name="~1shop"')), 'it is mounted on the main site'); },
  },
  {
    name: 'the application of the site removed by its element only',
    text: site('<application path="/diag" xdt:Transform="Remove" />'),
    why: /removes by the name of the element only/, shows: async (run) => { assert.ok(!(await run).includes('SiteExtensions\\Kudu'), 'Kudu itself is gone'); },
  },
  { name: 'a transform that there is not', text: site('<application path="/diag" xdt:Locator="Match(path)" xdt:Transform="RemoveIfThere" />'), why: /no transform of the engine/, shows: (run) => assert.rejects(run) },
  { name: 'a locator that there is not', text: site('<application path="/diag" xdt:Locator="Same(path)" xdt:Transform="Remove" />'), why: /no locator of the engine/, shows: (run) => assert.rejects(run) },
  { name: 'a locator on an attribute that is not there', text: site('<application path="/diag" xdt:Locator="Match(name)" xdt:Transform="Remove" />'), why: /does not have/, shows: (run) => assert.rejects(run) },
  { name: 'a file cut off', text: site('<application path="/diag" xdt:Locator="Match(path)" xdt:Transform="Remove" />').slice(0, -30), why: /not well-formed/, shows: (run) => assert.rejects(run) },
  { name: 'a prefix that is not bound', text: site('').replace(/ xmlns:xdt="[^"]*"/, ''), why: /not well-formed.*xdt/, shows: (run) => assert.rejects(run) },
];

function whole(inner: string): string {
  return `<?xml version="1.0"?>\n<configuration xmlns:xdt="http://schemas.microsoft.com/XML-Document-Transform">\n${inner}\n</configuration>\n`;
}
function site(inner: string): string {
  return whole(`<system.applicationHost><sites><site name="%XDT_SCMSITENAME%" xdt:Locator="Match(name)">\n${inner}\n</site></sites></system.applicationHost>`);
}

for (const { name, of = 'fresh', text, why, shows } of BROKEN) {
  test(`${name}: the linter refuses it, the engine shows it broken`, { skip }, async () => {
    const faults = lintXdt(text);
    assert.ok(faults.some((fault) => why.test(fault.why)), JSON.stringify(faults));
    await shows(transform(await source(of), expand(text)));
  });
}

test('what the engine would take and the platform would not is refused with its line', () => {
  const rows: readonly (readonly [string, number, RegExp])[] = [
    ['', 1, /root element/],
    ['<a/>', 1, /must be <configuration>/],
    [whole(''), 2, /no element has a transform/],
    ['<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><configuration/>', 1, /document type/],
    [site('<application path="/" xdt:Locator="Match(path)" xdt:Transform="Remove" /><application path="/" xdt:Transform="Insert" />'), 4, /path of the site itself/],
    [site('<application path="/x" xdt:Locator="Match(path)" xdt:Transform="Remove" /><application path="/x" xdt:Transform="Insert" />'), 4, /0 virtual directories/],
    [site('<application path="/x" xdt:Locator="Match(path)" xdt:Transform="Remove" /><application path="/x" xdt:Transform="Insert"><virtualDirectory path="/" physicalPath="D:\\home\\x" /></application>'), 4, /drive letter/],
    [site('').replace('%XDT_SCMSITENAME%', '~1shop').replace('>\n\n<', ' xdt:Transform="Remove">\n\n<'), 3, /on a whole site/],
    [site('<application path="/x" applicationPool="%XDT_POOL%" xdt:Locator="Match(path)" xdt:Transform="Remove" />'), 4, /no variable of the platform/],
    [whole('<system.webServer><runtime><environmentVariables><add name="NODE_OPTIONS" value="--x" xdt:Locator="Match(name)" xdt:Transform="InsertIfMissing" /></environmentVariables></runtime></system.webServer>'), 3, /without %NODE_OPTIONS%/],
    [whole('<system.webServer><runtime><environmentVariables><add name="NODE_OPTIONS" value="%NODE_OPTIONS% --require=%XDT_EXTENSIONPATH%\\dist\\preload.js" xdt:Locator="Match(name)" xdt:Transform="InsertIfMissing" /></environmentVariables></runtime></system.webServer>'), 3, /folder of the extension/],
    [whole('<system.webServer><runtime><environmentVariables><add name="A" value="%HOME" xdt:Transform="Insert" /></environmentVariables></runtime></system.webServer>'), 3, /single %/],
    [whole('<system.webServer xdt:Transform="Replace" />'), 3, /throws away/],
    [`${whole('<a xdt:Transform="Remove" xdt:Locator="Condition()" />')}`, 3, /needs something in brackets/],
    ['x'.repeat(300_000), 1, /more than/],
    [`${'<a>'.repeat(100)}`, 1, /deep|well-formed/],
  ];
  for (const [text, line, why] of rows) {
    const faults = lintXdt(text);
    assert.ok(faults.some((fault) => fault.line === line && why.test(fault.why)), `${why}: ${JSON.stringify(faults)}`);
  }
});
