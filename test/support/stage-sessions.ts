// Owns the canned sessions, report and history of the stage.
import type { z } from 'zod';
import type { AuditEntry, Operation } from '../../src/shared/api.ts';
import type { LogProvider, LogProviderId } from '../../src/shared/log-bundle.ts';
import type { Report, Session, Step } from '../../src/shared/model.ts';
import { DUMP_FILE, SLOW_FILE } from './stage-dump.ts';
import { app, changes, CRASHES, logLines, now, requests, T, WORKER } from './stage-data.ts';

export const DONE_ID = '261121_0218300000';
export const RUNNING_ID = '261121_0218400000';
const sha = (n: number): string => String(n).repeat(64).slice(0, 64);

const step = (id: string, stage: Step['stage'], title: string, state: Step['state'], more: Partial<Step> = {}): Step => ({ id, stage, title, state, ...more });
const STEPS: readonly Step[] = [
  step('http-logs', 'collect', 'HTTP logs', 'done', { note: '41,206 rows, 0 damaged', tookMs: 310 }), step('event-log', 'collect', 'Event log', 'done', { note: '4 of 812 events in the window', tookMs: 90 }),
  step('application-logs', 'collect', 'Application logs', 'done', { note: '4 exceptions, 2 values masked', tookMs: 120 }), step('memory-dump', 'collect', 'Memory dump of worker 6120', 'failed', { because: 'gcore ended with code 1: ptrace is not permitted', code: 'DUMP_FAILED', tookMs: 6_200 }),
  step('php-log', 'collect', 'PHP error log', 'skipped', { because: 'no PHP error log below LogFiles' }), step('http-failures', 'analyze', 'Failed requests', 'done', { note: '2 findings', tookMs: 41 }), step('application-crashes', 'analyze', 'Crashes in application logs', 'done', { note: '1 finding', tookMs: 12 }),
];
const artifact = (i: number, kind: Session['artifacts'][number]['kind'], name: string, bytes: number, more: object = {}): Session['artifacts'][number] => ({ session: DONE_ID, instance: app.instance, kind, name, bytes, sha256: sha(i), ...more });

export const doneSession: Session = {
  version: 1, id: DONE_ID, madeAt: T - 12_000, endedAt: T - 2_000, state: 'partial', askedBy: 'admin@contoso.com', reason: '502s on /cart since the deployment', instance: app.instance, target: { pid: WORKER.pid, startedAt: WORKER.startedAt },
  diagnosers: STEPS.filter((s) => s.stage === 'collect').map((s) => ({ id: s.id })), steps: [...STEPS], pinned: true, report: true, headline: 'The worker crashed 4 times on an uncaught `TypeError` in `lib/cart.js:41`.',
  artifacts: [artifact(1, 'http-log', 'http.log', 13_900_000, { masked: 15 }), artifact(2, 'event-log', 'eventlog.json', 712_000), artifact(3, 'application-log', 'stderr-6120.txt', 184_320, { masked: 2, note: 'the window only' }), artifact(4, 'core-dump', DUMP_FILE, 1_227_882_496)],
};
export const runningSession: Session = {
  ...doneSession, id: RUNNING_ID, madeAt: T - 4_000, endedAt: undefined, state: 'running', pinned: false, report: false, headline: undefined, artifacts: [],
  steps: STEPS.map((s, i): Step => (i < 2 ? s : i === 2 ? step(s.id, s.stage, s.title, 'running', { note: 'reading stderr-6120.txt, 12.1 of 18.4 MiB', fraction: 0.66 }) : step(s.id, s.stage, s.title, 'waiting'))),
} as Session;

export const sessions = (many: boolean): Session[] => [runningSession, doneSession, ...(['done', 'failed', 'cancelled', 'interrupted'] as const).map((state, i): Session => ({
  ...doneSession, id: `261120_1${i}00000000`.slice(0, 17), madeAt: T - (i + 1) * 9_000_000, endedAt: T - (i + 1) * 9_000_000 + 38_000, state, pinned: false, report: state === 'done',
  headline: state === 'done' ? 'No failed request and no crash in the last 15 minutes.' : state === 'failed' ? 'Nothing could be collected: the home folder was not readable.' : `Session ${state}.`, reason: undefined,
} as Session)), ...(many ? Array.from({ length: 40 }, (_, i): Session => ({ ...doneSession, id: `2611${String(10 + (i % 10))}_${String(1_000_000_000 + i)}`, madeAt: T - (i + 8) * 40_000_000, endedAt: T - (i + 8) * 40_000_000 + 9_000, state: 'done' })) : [])].map((s) => JSON.parse(JSON.stringify(s)) as Session);

export const operations: Operation[] = [{ id: 'op-1', kind: 'session', title: 'Diagnose now', state: 'running', note: 'application logs', fraction: 0.4, session: RUNNING_ID, startedAt: T - 4_000 }];

export const reading: Operation = { id: 'dump-1', kind: 'read-dump', title: `Reading ${SLOW_FILE} (1.14 GiB)`, state: 'running', note: 'texts in its memory', fraction: 0.62, startedAt: T - 4_000 };

export const audit = (count: number): AuditEntry[] => Array.from({ length: count }, (_, i) => ({ at: T - 40_000 - i * 3_600_000, who: i % 3 === 0 ? 'admin@contoso.com' : 'cookie 7f3a', did: i % 3 === 0 ? 'restart' : i % 3 === 1 ? 'start session' : 'delete session', what: i % 3 === 0 ? `process ${5_000 + i}, started ${new Date(T - i * 3_600_000 - 900_000).toISOString()}` : DONE_ID, result: i % 4 === 3 ? 'refused: PROCESS_REUSED' : 'done' }));

export function report(): Report {
  const failed = requests(true, 1_200).filter((r) => r.status >= 500);
  return {
    version: 1, tool: { name: 'AppServiceDiag', version: '0.1.0' }, session: DONE_ID, madeAt: T - 2_000, askedBy: 'admin@contoso.com', reason: '502s on /cart since the deployment', window: { from: T - 900_000, to: T }, app, target: WORKER, state: 'partial',
    headline: { severity: 'critical', text: 'The worker crashes on an uncaught TypeError in lib/cart.js:41, four times since the deployment at 02:13:29.', detail: ['Every POST /cart/apply with a voucher that has no discount throws, Node exits with code 1, and all requests in flight end as 502.3.', 'Since 02:14:07, 5.7 % of requests failed; before, none in 24 h.'] },
    steps: [...STEPS],
    causes: [], findings: [
      { id: 'worker-crashes', area: 'application', severity: 'critical', title: 'The worker crashed 4 times on the same TypeError', why: 'Each crash ends every request in flight and the worker needs 2 s to start again.', advice: 'Guard the access to discount in lib/cart.js:41. Return errors from async handlers.', mitigations: ['restart'], evidence: [{ kind: 'stack', title: 'TypeError', frames: [{ text: 'applyVoucher (lib/cart.js:41:27)', ours: true }, { text: 'Layer.handle (node_modules/express/lib/router/layer.js:95:5)' }] }, { kind: 'lines', title: 'stderr-6120.txt', lines: logLines('app1', 60).filter((l) => l.level === 'error').slice(0, 1) }] },
      { id: 'http-failures', area: 'http', severity: 'critical', title: '51 of 900 requests failed: 49 as 502.3 · 12030', why: 'The front end lost the connection to the worker in mid-request.', advice: 'See the crash above.', mitigations: [], evidence: [{ kind: 'table', columns: [{ title: 'Route', unit: 'code' }, { title: 'Count', unit: 'count' }, { title: 'Slowest', unit: 'ms' }], rows: failed.slice(0, 6).map((r, i) => [`${r.method} ${r.route}`, 12 - i, r.takenMs ?? null]) }] },
      { id: 'no-dump', area: 'collection', severity: 'cannot-tell', title: 'No memory dump could be made', why: 'ptrace is not permitted in this container.', advice: 'Allow ptrace or use the Node report.', mitigations: [], evidence: [] },
    ],
    timeline: { stepMs: 1_000, requests: now(true).strip, series: [{ metric: 'site.working-set', points: now(true).strip.map((b, i): [number, number | null] => [b.at, i % 50 === 0 ? null : 150_000_000 + i * 9_000]) }], changes: changes(true).filter((c) => c.at >= (CRASHES[0] ?? 0) - 60_000) },
    artifacts: doneSession.artifacts, masked: [{ where: 'http.log', what: 'query values', count: 15 }],
  };
}

const LOGS: readonly (readonly [id: LogProviderId, title: string, files: number, bytes: number])[] = [
  ['http-log', 'Web server log', 12, 3_200_000_000], ['event-log', 'Event log', 1, 1_310_000], ['failed-request-traces', 'Failed request traces', 50, 8_400_000], ['detailed-errors', 'Detailed errors', 0, 0],
  ['application-log', 'Application log', 31, 412_000_000], ['php-log', 'PHP log', 0, 0], ['container-log', 'Container log', 4, 22_000_000], ['kudu-log', 'Kudu log', 9, 740_000],
  ['deployments', 'Deployments', 61, 2_100_000], ['npm-log', 'npm log', 0, 0], ['other-log', 'Other logs', 3, 9_000],
];
export const providers = (empty: boolean): z.infer<typeof LogProvider>[] => LOGS.map(([id, title, files, bytes], i) => ({ id, title, files: empty ? 0 : files, bytes: empty ? 0 : bytes, ...(empty || files === 0 ? {} : { newestAt: T - i * 400_000 }) }));
