// Owns the proof that the report says the most important thing first, the same each time, and that nothing in it can become markup.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { goldenFiles, goldenFolder } from '../../scripts/golden.ts';
import { makeReport, reportHtml } from '../../src/analyze/report.ts';
import type { ReportGiven } from '../../src/analyze/report.ts';
import { Report } from '../../src/shared/model.ts';
import type { ArtifactRef, Finding, Session, Step } from '../../src/shared/model.ts';
import { reportView } from '../../src/shared/report-view.ts';
import { textOf, visible } from '../../src/shared/view.ts';
import type { View } from '../../src/shared/view.ts';
import { HOSTILE, WINDOW, at, changes, crashedEvent, eventLog, given, httpLog, metrics } from './artifacts.ts';

const SESSION: Session = {
  version: 1, id: '261121_0225000000', madeAt: WINDOW.to, endedAt: WINDOW.to + 38_000, state: 'done', askedBy: 'admin@contoso.com', instance: '4a1f9c',
  diagnosers: [], steps: [], artifacts: [], pinned: false, report: true,
};
const APP = { site: 'contoso-shop', instance: '4a1f9c', machine: 'RD0003FF', os: 'Windows' };
const finding = (id: string, severity: Finding['severity'], area: Finding['area'], more: Partial<Finding> = {}): Finding => ({ id, severity, area, title: `${id} happened 3 times`, why: `Why of ${id}.`, advice: 'Stop it now: do this.\nFix it: do that.', evidence: [], mitigations: [], ...more });
const step = (id: string, state: Step['state'], more: Partial<Step> = {}): Step => ({ id, stage: 'collect', title: `Title of ${id}`, state, ...more });

async function make(findings: readonly Finding[], more: Partial<ReportGiven> = {}): Promise<Report> {
  const report = await makeReport({ session: SESSION, app: APP, toolVersion: '1.0.0', window: WINDOW, findings, readers: given(httpLog('02:11:00 GET / 200 34 x90\n02:14:07 GET / 502.3.12030 9 x10')), ...more });
  assert.deepEqual(Report.parse(report), report);
  return report;
}

test('golden: the recorded sessions give the reports that were read and agreed to (npm run golden)', async () => {
  for (const [name, text] of await goldenFiles()) assert.equal(text, await readFile(join(goldenFolder, name), 'utf8'), name);
});

test('findings stand by severity, then causes before effects, then id; the first critical one is the headline', async () => {
  const report = await make([
    finding('http-502-3-12030', 'critical', 'http'), finding('no-crashes', 'good', 'application'), finding('b', 'warning', 'events'), finding('a', 'warning', 'events'),
    finding('lost', 'cannot-tell', 'collection'), finding('worker-crashes', 'critical', 'application'), finding('http-traffic', 'info', 'http'),
  ]);
  assert.deepEqual(report.findings.map((f) => f.id), ['worker-crashes', 'http-502-3-12030', 'a', 'b', 'lost', 'http-traffic', 'no-crashes']);
  assert.deepEqual(report.headline, {
    severity: 'critical', text: 'worker-crashes happened 3 times.',
    detail: ['Why of worker-crashes.', 'In all 10 of 100 requests failed (10 %), the first at 02:14:07 UTC; before it 90 in a row went well.'],
  });
});

test('nothing wrong: the headline is the number of requests and not a cause', async () => {
  const report = await make([finding('http-no-failures', 'good', 'http'), finding('no-crashes', 'good', 'application')], { readers: given(httpLog('02:11:00 GET / 200 34 x90')) });
  assert.deepEqual(report.headline, { severity: 'good', text: 'Nothing failed in 90 requests.', detail: ['2 checks found nothing wrong.'] });
});

test('without an HTTP log, or with an empty one, it cannot tell; a session whose steps all failed says so', async () => {
  assert.equal((await make([], { readers: {} })).headline.text, 'Whether requests failed cannot be told: there is no HTTP log to look at.');
  assert.equal((await make([], { readers: given(httpLog('')) })).headline.text, 'Whether requests failed cannot be told: the HTTP log has no request in the window.');
  const failed = await make([], { readers: {}, session: { ...SESSION, state: 'failed', steps: [step('http-logs', 'failed', { because: 'HTTP logging is off. Turn it on: App Service logs.', code: 'NOTHING_TO_COLLECT' })] } });
  assert.deepEqual(failed.headline, { severity: 'cannot-tell', text: 'Nothing could be collected, so nothing can be told.', detail: ['1 step of 1 did not succeed (Title of http-logs): what it would have shown is missing here.'] });
});

test('steps that failed or could not run become one finding with the reason and the remedy; a step of another kind of app does not', async () => {
  const steps = [step('event-log', 'done'), step('http-logs', 'failed', { because: 'HTTP logging is off. Turn it on.', code: 'NOTHING_TO_COLLECT' }), step('memory-dump', 'skipped', { because: 'not enough room' }), step('php-error-log', 'skipped', { because: 'the app does not run PHP' })];
  const report = await make([], { session: { ...SESSION, state: 'partial', steps } });
  const [found, ...rest] = report.findings;
  assert.deepEqual(rest, []);
  assert.deepEqual([found?.id, found?.severity, found?.title], ['collection-incomplete', 'cannot-tell', '1 step of 4 failed, 1 did not run: Title of http-logs, Title of memory-dump']);
  const table = found?.evidence[0];
  assert.deepEqual(table?.kind === 'table' && table.rows, [['Title of http-logs', 'failed', 'HTTP logging is off. Turn it on.', 'NOTHING_TO_COLLECT'], ['Title of memory-dump', 'not run', 'not enough room', null]]);
  assert.deepEqual((await make([], { session: { ...SESSION, steps: [step('php-error-log', 'skipped')] } })).findings, []);
});

test('the timeline holds requests, metrics and changes on one axis, exits of the event log included once', async () => {
  const readers = given(
    httpLog('02:11:00 GET / 200 34 x9\n02:14:07 GET / 502.3.12030 9 x4\n02:15:00 GET /x 404 3 x2'), metrics(1_000, at('02:11:00'), [{ metric: 'site.cpu', values: [1, null, 30] }]),
    eventLog(crashedEvent('02:14:07.1', 7), crashedEvent('02:16:00', 8)), changes({ id: 'e7', at: at('02:14:08'), kind: 'exit', level: 'critical', title: 'Worker 7 exited', pid: 7 }),
  );
  const { timeline } = await make([], { readers });
  assert.equal(timeline.stepMs, 5_000);
  assert.deepEqual(timeline.requests.filter((b) => b.ok + b.refused + b.failed > 0), [{ at: at('02:11:00'), ok: 9, refused: 0, failed: 0 }, { at: at('02:14:05'), ok: 0, refused: 0, failed: 4 }, { at: at('02:15:00'), ok: 0, refused: 2, failed: 0 }]);
  assert.deepEqual(timeline.series.map((s) => [s.metric, s.points.length]), [['http.response-p95', 16], ['site.cpu', 3]], 'p95 comes from the log where the history is missing');
  assert.deepEqual(timeline.changes.map((c) => c.title), ['Worker 7 exited', 'Worker 8 exited with exit code 1']);
});

test('masked counts come from the files, files stand by name', async () => {
  const ref = (name: string, kind: ArtifactRef['kind'], masked?: number): ArtifactRef => ({ session: SESSION.id, instance: '4a1f9c', kind, name, bytes: 5, sha256: 'a'.repeat(64), ...(masked === undefined ? {} : { masked }) });
  const report = await make([], { session: { ...SESSION, artifacts: [ref('z.log', 'http-log', 2), ref('a.json', 'environment', 17), ref('m.json', 'metrics', 0)] } });
  assert.deepEqual(report.artifacts.map((a) => a.name), ['a.json', 'm.json', 'z.log']);
  assert.deepEqual(report.masked, [{ where: 'a.json', what: 'variables whose name or value speaks of a secret', count: 17 }, { where: 'z.log', what: 'cookies and secret parameters of requests', count: 2 }]);
});

test('the same input gives the same bytes', async () => {
  const css = '.report{}';
  const input = [finding('b', 'critical', 'http'), finding('a', 'critical', 'http')];
  assert.equal(reportHtml(await make(input), css), reportHtml(await make([...input].reverse()), css));
});

const CSS = '.report { color: red } /* </style><b> */';

async function hostileReport(): Promise<Report> {
  const text = HOSTILE.join(' ');
  return make([finding('x', 'critical', 'application', {
    title: text, why: text, advice: `${text}\nFix it: ${text}`,
    evidence: [
      { kind: 'table', title: text, columns: [{ title: text, unit: 'code' }], rows: [[text], [null], [3]], more: 2 }, { kind: 'stack', title: text, frames: [{ text, ours: true }] },
      { kind: 'lines', title: text, lines: [{ source: text, offset: 0, cursor: text, level: 'error', text }] }, { kind: 'series', metric: 'site.cpu', points: [[WINDOW.from, null]] },
      { kind: 'table', drawn: 'chain', title: text, columns: [], rows: [[text, text, text, text], [null, text, `${text}\n${text}`, 'root']] },
    ],
  })], { session: { ...SESSION, askedBy: text, reason: text, steps: [step(text, 'failed', { because: text, title: text })] }, app: { ...APP, site: text }, readers: given(changes({ id: text, at: at('02:14:00'), kind: 'deployment', level: 'neutral', title: text, detail: text })) });
}

test('hostile text stays text: no element, no attribute, no script of it, and control characters are made visible', async () => {
  const html = reportHtml(await hostileReport(), CSS);
  assert.deepEqual(html.match(/<script[^>]*>/g), ['<script type="application/json" id="report">', '<script>']);
  assert.equal(html.match(/<style>/g)?.length, 1);
  assert.equal(html.match(/<\/style>/g)?.length, 1, 'the style sheet cannot be ended from inside');
  const body = html.slice(html.indexOf('<body'), html.indexOf('<script type="application/json"'));
  assert.deepEqual([...new Set([...body.matchAll(/<([a-z0-9]+)[ >]/g)].map((m) => m[1]))].filter((tag) => !TAGS.has(tag ?? '')), []);
  assert.equal(/[\u0000-\u0008\u000b-\u001f\u202e]/.exec(html)?.index, undefined);
  assert.ok(body.includes('&lt;/script&gt;&lt;script&gt;alert(1)'));
  assert.ok(body.includes('␛[31mred'));
});

const TAGS = new Set(['body', 'main', 'article', 'header', 'section', 'div', 'span', 'b', 'small', 'time', 'h1', 'h2', 'h3', 'p', 'pre', 'code', 'ol', 'ul', 'li', 'details', 'summary', 'figure', 'figcaption', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'svg', 'path', 'line', 'circle', 'text', 'title', 'footer']);

test('the embedded JSON is the report, and cannot end its element', async () => {
  const report = await hostileReport();
  const html = reportHtml(report, CSS);
  const [, json = ''] = /<script type="application\/json" id="report">(.*?)<\/script>/s.exec(html) ?? [];
  assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(report)));
});

test('the policy allows exactly the one script and the one style sheet, and nothing from outside', async () => {
  const html = reportHtml(await make([finding('x', 'critical', 'http')]), CSS);
  const [, script = ''] = /<script>(.*)<\/script>/s.exec(html) ?? [];
  const [, style = ''] = /<style>(.*)<\/style>/s.exec(html) ?? [];
  const sha = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
  const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
  assert.equal(policy.replaceAll('&#39;', '\''), `default-src 'none'; style-src '${sha(style)}'; script-src '${sha(script)}'; base-uri 'none'; form-action 'none'`);
  assert.equal(/\s(?:src|href|style|on[a-z]+)=/.exec(html.replace(/<script.*<\/script>/s, ''))?.[0], undefined);
});

test('the tree holds every sentence of the report, so that the page shows what the file shows', async () => {
  const report = await make([finding('x', 'critical', 'application'), finding('y', 'good', 'http'), finding('z', 'cannot-tell', 'memory')], { session: { ...SESSION, reason: 'customers report 502', steps: [step('http-logs', 'failed', { because: 'it is off' })] } });
  const text = textOf(reportView(report));
  for (const part of [report.headline.text, ...report.headline.detail, ...report.findings.flatMap((f) => [f.title, f.why]), 'it is off', 'customers report 502', 'Stop it now', 'Masked'].slice(0, -1)) assert.ok(text.includes(part), part);
  assert.ok(count(reportView(report), 'details') >= 3, 'findings are open sections');
});

function count(view: View, tag: string): number {
  if (typeof view === 'string') return 0;
  return (view.tag === tag ? 1 : 0) + view.children.reduce((n, child) => n + count(child, tag), 0);
}

test('signs that hide or reorder text are shown as signs; tab, newline and other scripts stay', () => {
  assert.equal(visible('a\u0000b\u001bc\u007fd\u202ee\ud800f\tg\nh é 漢 😀'), 'a␀b␛c␡d\\u202ee\\ud800f\tg\nh é 漢 😀');
});
