// Owns the proof that a verdict stands on evidence: one source taken away makes it weaker or open, never wrong; other names, routes, ports, texts and hours change nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAUSE_IDS, type Cause, type CauseId, type Diagnosis } from '../../../src/shared/cause.ts';
import { diagnosisOf } from '../../../src/analyze/analyzers/causes.ts';
import { effectsOf } from '../../../src/analyze/causes/edges.ts';
import { causes as rules } from '../../../src/analyze/causes/index.ts';
import { diagnosers } from '../../../src/analyze/diagnosers/index.ts';
import type { ArtifactReader } from '../../../src/analyze/contracts.ts';
import { WINDOW, at, changes, crashedEvent, eventLog, given, never, reader, startedEvent, stderr, uncaught } from '../artifacts.ts';
import { QUIET, appLog, diagnosis, line, log, nginxError, nginxRow, traffic } from './scenes.ts';

type Sources = Readonly<Record<string, ArtifactReader>>;

const refused = Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'ERROR Error: connect ECONNREFUSED 10.1.2.3:5432')).join('\n');
const access = `${Array.from({ length: 60 }, (_, i) => nginxRow(`02:1${Math.floor(i / 12)}:${String((i % 12) * 5).padStart(2, '0')}`, 'GET /', 200, 0.02)).join('\n')}\n${nginxRow('02:14:07', 'GET /cart', 502, 0.3)}\n${nginxRow('02:14:08', 'GET /', 502, 0)}\n`;

/** Each with the causes that may come first when one source is gone: the same one, one that it leads to, or one that says less. */
const SCENES: readonly { readonly cause: CauseId; readonly sources: Sources; readonly also: readonly CauseId[] }[] = [
  { cause: 'crash-uncaught-exception', also: ['exit-unexplained', 'keep-alive-race', 'not-listening'], sources: { http: log(QUIET, '02:14:07 GET /cart 502.3.12030 40 x3\n02:14:07 GET / 502.3.12029 0 x2'), events: eventLog(startedEvent('02:10:00', 7), crashedEvent('02:14:07.5', 7), startedEvent('02:14:08.2', 8)), log: stderr(7, uncaught()) } },
  { cause: 'dependency-down', also: ['application-error'], sources: { http: log(QUIET, traffic('02:14:00', '02:15:00', 'GET /orders 500.0.0 12', 5)), log: appLog(refused) } },
  { cause: 'bad-deployment', also: ['application-error'], sources: { http: log(traffic('02:10:00', '02:15:00'), traffic('02:15:20', '02:25:00', 'GET / 500.0.0 20', 2)), changes: changes({ id: 'd', at: at('02:15:05'), kind: 'deployment', level: 'neutral', title: 'Deployment 4f2a1c' }) } },
  { cause: 'crash-uncaught-exception', also: ['exit-unexplained', 'not-listening', 'keep-alive-race'], sources: { http: reader('http-log', 'access.log', access), front: appLog([nginxError('02:14:07', 'upstream prematurely closed connection while reading response header from upstream', 'GET /cart'), nginxError('02:14:08', 'connect() failed (111: Connection refused) while connecting to upstream')].join('\n'), 'error.log'), changes: changes({ id: `exit:7:${at('02:10:00')}`, at: at('02:14:07.6'), kind: 'exit', level: 'critical', title: 'Node 7 exited', pid: 7, exitCode: 1 }), log: stderr(7, uncaught()) } },
];

const first = (d: Diagnosis): Cause | undefined => d.causes.find((c) => c.verdict === 'found');

test('one source taken away: the verdict is the same or weaker, or open, and never another cause', async () => {
  for (const { cause, sources, also } of SCENES) {
    const whole = first(await diagnosis(...Object.values(sources)));
    assert.equal(whole?.id, cause);
    for (const gone of Object.keys(sources)) {
      const rest = await diagnosis(...Object.entries(sources).filter(([name]) => name !== gone).map(([, r]) => r));
      const left = first(rest);
      const allowed = new Set<string>([cause, ...also, ...effectsOf(cause)]);
      if (left !== undefined) assert.ok(allowed.has(left.id), `${cause} without ${gone} became ${left.id}: ${left.title}`);
      if (left?.id === cause) assert.ok((left.confidence?.score ?? 1) <= (whole.confidence?.score ?? 0) + 0.02, `${cause} is surer without ${gone}: ${left.confidence?.score} > ${whole.confidence?.score}`);
      if (left?.id !== cause && left !== undefined) assert.notEqual(left.confidence?.word === 'certain' && left.id !== 'bad-deployment' && !effectsOf(cause).has(left.id), true, `${cause} without ${gone} is certainly ${left.id}`);
    }
  }
});

test('no source at all: nothing is named, and what would tell is said', async () => {
  const { causes } = await diagnosisOf(given(log('')), WINDOW, never);
  assert.deepEqual(causes.filter((c) => c.verdict === 'found'), []);
  const bare = await diagnosis(log(QUIET, '02:14:07 GET /cart 502.3.12030 900 x9'));
  assert.equal(first(bare)?.id, undefined, first(bare)?.title);
  const open = bare.causes.filter((c) => c.verdict === 'cannot-tell');
  assert.ok(open.some((c) => c.id === 'crash-uncaught-exception' && c.collect.includes('application-logs')), JSON.stringify(open.map((c) => c.id)));
  assert.equal(bare.accounting.unexplained[0]?.count, 9);
});

/** Other names, routes, ports, hosts and texts: the same lengths do not matter. */
const RENAMED: readonly (readonly [RegExp, string])[] = [[/CONTOSO-SHOP/g, 'X9'], [/contoso-shop/g, 'zz-other'], [/\/cart/g, '/kasse/jetzt'], [/\/orders/g, '/bestellungen'], [/\/api\/items/g, '/v9/zeug'], [/10\.1\.2\.3:5432/g, '172.16.9.77:3306'], [/cart\.js/g, 'warenkorb.mjs'], [/applyVoucher/g, 'gutschein'], [/21453/g, '40001'], [/Mozilla\/5\.0/g, 'python-requests/2'], [/127\.0\.0\.1:4123/g, '10.9.9.9:7777'], [/4f2a1c/g, 'release-77'], [/203\.0\.113\.\d+/g, '198.51.100.4']];

async function changed(one: ArtifactReader, of: (text: string) => string): Promise<ArtifactReader> {
  const { text } = await one.text(10_000_000);
  return reader(one.ref.kind, one.ref.name, of(text));
}

test('renamed apps, routes, ports, hosts, files and agents: the same verdict, as sure as before', async () => {
  for (const { cause, sources } of SCENES) {
    const whole = first(await diagnosis(...Object.values(sources)));
    const other = first(await diagnosis(...await Promise.all(Object.values(sources).map((one) => changed(one, (text) => RENAMED.reduce((t, [from, to]) => t.replace(from, to), text))))));
    assert.deepEqual([other?.id, other?.confidence?.score, other?.failedRequests], [cause, whole?.confidence?.score, whole?.failedRequests]);
  }
});

test('nginx writes its error log in local time: the rows are found all the same', async () => {
  const { sources } = SCENES[3] as (typeof SCENES)[number];
  const local = await changed(sources['front'] as ArtifactReader, (text) => text.replaceAll('2026/11/21 02:', '2026/11/21 07:'));
  const d = await diagnosis(sources['http'] as ArtifactReader, local, sources['changes'] as ArtifactReader, sources['log'] as ArtifactReader);
  assert.deepEqual([first(d)?.id, first(d)?.failedRequests], ['crash-uncaught-exception', 2]);
});

test('artifacts in another order, or asked twice, give the same bytes', async () => {
  for (const { sources } of SCENES) {
    const list = Object.values(sources);
    const one = JSON.stringify(await diagnosis(...list));
    assert.equal(JSON.stringify(await diagnosis(...list)), one);
    assert.equal(JSON.stringify(await diagnosis(...[...list].reverse())), one);
  }
});

test('what would settle a cause is something that can be collected', () => {
  const known = new Set(diagnosers.map((d) => d.id));
  for (const rule of rules) for (const id of rule.collect) assert.ok(known.has(id), `${rule.id}: there is no diagnoser ${id}`);
});

test('each cause id has one rule, and no two lead to each other', () => {
  const ids = rules.map((r) => r.id).sort();
  assert.deepEqual(ids, CAUSE_IDS.filter((id) => id !== 'healthy').sort());
  for (const a of ids) for (const b of ids) assert.ok(a === b || !(effectsOf(a).has(b) && effectsOf(b).has(a)), `${a} and ${b} lead to each other`);
});

test('hostile logs end soon, in bounded text, and name nothing that is not there', async () => {
  const nasty = ['x'.repeat(200_000), 'at '.repeat(50_000), '['.repeat(50_000), `connect ECONNREFUSED ${'1'.repeat(50_000)}`, `Error: getaddrinfo ENOTFOUND ${'a.'.repeat(40_000)}`, `2026/11/21 02:14:07 [error] 1#1: *1 upstream ${'timed '.repeat(20_000)}`, '</script><script>alert(1)</script> listening on port 80', '\u0000\u001b[31m'].join('\n');
  const d = await diagnosis(log(QUIET, '02:14:07 GET /<script> 500.0.0 5 x3'), appLog(nasty), reader('failed-request-trace', 'fr1.xml', `<failedRequest statusCode="500" url="${'x'.repeat(10_000)}"><Event>`));
  for (const c of d.causes) { assert.ok(c.title.length <= 700); assert.doesNotMatch(c.title, /[\u0000-\u001f]/); }
});
