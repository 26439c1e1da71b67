// Owns the tests of the web.config editor: over a corpus, what is set is there, what is outside stays byte for byte, and what is no configuration is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AutoHealRules } from '../../../src/shared/auto-heal.ts';
import { sameRules } from '../../../src/shared/auto-heal.ts';
import { lineDiff, linesOf, unified } from '../../../src/mitigate/auto-heal/line-diff.ts';
import { openWebConfig, sayable, unsaid, withRules, XmlFault } from '../../../src/mitigate/auto-heal/web-config.ts';
import { corpus, refused } from './corpus.ts';
import { fuzz } from './fuzz.ts';

const RECYCLE: AutoHealRules = { triggers: { requests: { count: 1_000, timeInterval: '00:10:00' } }, actions: { actionType: 'Recycle' } };
const ALL: AutoHealRules = {
  triggers: {
    requests: { count: 7, timeInterval: '00:01:00' }, slowRequests: { timeTaken: '00:00:20', count: 5, timeInterval: '00:05:00' }, privateBytesInKB: 1_500_000,
    statusCodes: [{ status: 500, subStatus: 100, count: 10, timeInterval: '00:00:30' }, { status: 502, subStatus: 3, win32Status: 12_030, count: 3, timeInterval: '00:01:00' }, { status: 503, count: 30, timeInterval: '00:05:00' }],
  },
  actions: { actionType: 'CustomAction', customAction: { exe: 'D:\\home\\site\\tools\\take "one" & <two>.exe', parameters: '-x \'a\' ü三' } },
};
const LOG: AutoHealRules = { triggers: { statusCodes: [{ status: 502, subStatus: 3, win32Status: 12_002, count: 5, timeInterval: '00:01:00' }] }, actions: { actionType: 'LogEvent' } };
const WANTED: readonly AutoHealRules[] = [RECYCLE, ALL, LOG, {}];

test('over the corpus: what is set is read again, setting what is read changes nothing, all other lines stay, and the way back is equal to a fresh set', () => {
  assert.ok(corpus.length >= 25, `${corpus.length} files`);
  for (const { name, bytes } of corpus) {
    const before = openWebConfig(bytes);
    assert.equal(withRules(before, before.read.rules), undefined, `${name}: set(read()) is identity`);
    for (const wanted of WANTED) {
      const after = withRules(before, wanted) ?? bytes;
      const read = openWebConfig(after);
      assert.ok(sameRules(read.read.rules, wanted), `${name}: ${JSON.stringify(read.read.rules)}`);
      assert.equal(withRules(read, wanted), undefined, `${name}: set twice is set once`);
      assert.equal(read.decoded.encoding, before.decoded.encoding, name);
      onlyMonitoring(name, before.decoded.text, read.decoded.text);
    }
  }
});

/** Every line that goes or comes belongs to monitoring, or is the tag of the element that it is put into. */
function onlyMonitoring(name: string, before: string, after: string): void {
  if (linesOf(before).length === 1) return;                                    // all in one line: the proof by events speaks for it
  const { hunks, left } = lineDiff(before, after);
  assert.equal(left, 0);
  const OURS = /monitoring|triggers|requests|slowRequests|memory|privateBytesInKB|statusCode|<add statusCode|actions|customAction|timeInterval|count=|what wakes us|slow ones|the gateway|system\.webServer|^\s*<\/?configuration ?\/?>\s*$/i;
  for (const { lines } of hunks) for (const { kind, text } of lines) if (kind !== ' ') assert.match(text, OURS, `${name}: ${kind}${text}`);
}

test('new lines follow the line ends and the indentation of the file', () => {
  const cases: readonly [string, string, readonly string[]][] = [
    ['tabs', '<configuration>\n\t<system.webServer>\n\t\t<a/>\n\t</system.webServer>\n</configuration>\n', ['@@ -1,5 +1,11 @@', ' <configuration>', ' \t<system.webServer>', ' \t\t<a/>', '+\t\t<monitoring>', '+\t\t\t<triggers>', '+\t\t\t\t<requests count="1000" timeInterval="00:10:00" />', '+\t\t\t</triggers>', '+\t\t\t<actions value="Recycle" />', '+\t\t</monitoring>', ' \t</system.webServer>', ' </configuration>']],
    ['no system.webServer', '<configuration>\n</configuration>', ['@@ -1,2 +1,10 @@', ' <configuration>', '+  <system.webServer>', '+    <monitoring>', '+      <triggers>', '+        <requests count="1000" timeInterval="00:10:00" />', '+      </triggers>', '+      <actions value="Recycle" />', '+    </monitoring>', '+  </system.webServer>', ' </configuration>']],
  ];
  for (const [name, text, wanted] of cases) {
    const bytes = withRules(openWebConfig(Buffer.from(text)), RECYCLE);
    assert.deepEqual(unified(lineDiff(text, Buffer.from(bytes ?? []).toString())), wanted, name);
  }
  const windows = Buffer.from(withRules(openWebConfig(Buffer.from('<configuration>\r\n  <system.webServer>\r\n  </system.webServer>\r\n</configuration>')), RECYCLE) ?? []).toString();
  assert.equal(windows.split('\n').length, windows.split('\r\n').length, 'no bare LF came in');
  assert.match(windows, /\r\n<\/configuration>$/, 'and no line end at the end');
});

test('one changed number is one changed line, one status more is one line more', () => {
  const full = corpus.find(({ name }) => name === 'all triggers, four spaces')?.bytes ?? Buffer.alloc(0);
  const before = openWebConfig(full);
  const { triggers = {}, actions } = before.read.rules;
  const change = (rules: AutoHealRules): string[] => unified(lineDiff(before.decoded.text, Buffer.from(withRules(before, rules) ?? []).toString())).filter((line) => /^[+-]/.test(line)).map((line) => line.replace(/ {2,}/g, ' '));
  assert.deepEqual(change({ triggers: { ...triggers, privateBytesInKB: 900_000 }, actions }), ['- <memory privateBytesInKB="800000"/>', '+ <memory privateBytesInKB="900000"/>']);
  assert.deepEqual(change({ triggers: { ...triggers, statusCodes: [...triggers.statusCodes ?? [], { status: 503, count: 4, timeInterval: '00:05:00' }] }, actions }), ['+ <add statusCode="503" subStatusCode="0" win32StatusCode="0" count="4" timeInterval="00:05:00" />']);
  assert.deepEqual(change({ triggers: { ...triggers, statusCodes: triggers.statusCodes?.slice(1) }, actions }), ['- <add statusCode="500" subStatusCode="100" win32StatusCode="0" count="10" timeInterval="00:00:30"/>']);
  assert.deepEqual(change({ triggers, actions: { actionType: 'Recycle' } }).map((line) => line.slice(0, 22)), ['- <actions value="Cust', '- <customAction exe="d', '+ <actions value="Recy']);
});

test('what is no configuration, or says auto-heal where it must not be changed, is refused with its line', () => {
  for (const { name, bytes, why } of refused) {
    assert.throws(() => openWebConfig(bytes), (error: unknown) => { assert.ok(error instanceof XmlFault, `${name}: ${String(error)}`); assert.match(error.message, why, name); assert.ok(error.line >= 1); return true; }, name);
  }
});

test('what web.config has no words for is listed, and what is left can be said', () => {
  const rules: AutoHealRules = {
    triggers: { statusCodes: [{ status: 500, count: 5, timeInterval: '00:01:00', path: '/cart' }, { status: 503, count: 5, timeInterval: '00:01:00' }], statusCodesRange: [{ statusCodes: '500-503', count: 5, timeInterval: '00:01:00' }], slowRequestsWithPath: [{ timeTaken: '00:00:20', count: 3, timeInterval: '00:01:00', path: '/api' }] },
    actions: { actionType: 'Recycle', minProcessExecutionTime: '00:10:00' },
  };
  const plain = openWebConfig(undefined);
  assert.deepEqual(unsaid(rules, plain.read.places).map((one) => one.split(':')[0]), ['The path /cart of status 500', 'The status range 500-503', 'Slow requests on the path /api', 'The least age of the process, 00']);
  const left = sayable(rules, plain.read.places);
  assert.deepEqual(left, { triggers: { statusCodes: [{ status: 503, count: 5, timeInterval: '00:01:00' }] }, actions: { actionType: 'Recycle' } });
  assert.ok(sameRules(openWebConfig(withRules(plain, left)).read.rules, left));
  // A file that runs with the attribute shows that IIS knows it there.
  const knows = openWebConfig(corpus.find(({ name }) => name.startsWith('what is not documented'))?.bytes);
  assert.deepEqual(unsaid({ actions: rules.actions }, knows.read.places), []);
  assert.match(knows.read.notes.map(({ says }) => says).join('\n'), /request inside triggers is not documented[\s\S]*privateBytesInKB inside triggers[\s\S]*"x", no whole number/);
});

test('fuzz: broken and odd input is refused, or its result parses, says what was wanted and equals it outside of monitoring', () => {
  const { refusedCount, setCount } = fuzz({ seed: 8, rounds: 1_500 });
  assert.ok(setCount > 200 && refusedCount > 200, `${setCount} set, ${refusedCount} refused`);
});
