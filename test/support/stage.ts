// Owns the stage: a small server that shows the page in every state with canned answers, each proven by the API's own schema.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import type { z } from 'zod';
import { api, type RouteName } from '../../src/shared/api.ts';
import { parseHttpFilter } from '../../src/shared/http-filter.ts';
import { FromPage, ToPage } from '../../src/shared/live.ts';
import type { LogLine } from '../../src/shared/model.ts';
import { MetricId } from '../../src/shared/metrics.ts';
import * as site from './stage-data.ts';
import { SLOW_FILE, stagedDump } from './stage-dump.ts';
import { stagedHttp } from './stage-http.ts';
import { appsNow } from './stage-app.ts';
import * as kept from './stage-sessions.ts';
import * as cure from './stage-cure.ts';
import * as heal from './stage-auto-heal.ts';
import * as staged from './stage-rules.ts';
import * as near from './stage-processes.ts';

export const SCENES = ['failing', 'live', 'empty', 'loading', 'stale', 'error', 'many', 'signed-out'] as const;
export type Scene = (typeof SCENES)[number];
export interface Stage { readonly url: string; close(): Promise<void> }

export const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html', '.json': 'application/json' };
const BASE = '/diag';
const MANY = 10_000;

/** publicDir: the folder with index.html; assetsDir: where app.js was built. The page is at `url`. */
export async function openStage(options: { publicDir: string; assetsDir: string; scene: Scene }): Promise<Stage> {
  const { scene } = options;
  const server = createServer((req, res) => { answer(req, res, options).catch((error: unknown) => { res.statusCode = 599; res.end(String(error)); }); });
  const wss = new WebSocketServer({ noServer: true });
  const began = Date.now();
  const clock = (): number => site.T + (Date.now() - began);
  let lost = false;
  const open = new Set<Duplex>();
  server.on('connection', (socket) => { open.add(socket); socket.on('close', () => open.delete(socket)); });
  server.on('upgrade', (req, socket, head) => {
    if (scene === 'loading') return;
    if (scene === 'signed-out' || lost || req.url !== `${BASE}/live`) { socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n'); return; }
    wss.handleUpgrade(req, socket, head, (ws) => {
      play(ws, scene, clock);
      if (scene === 'stale') setTimeout(() => { lost = true; ws.terminate(); }, 900);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${BASE}/`,
    async close() {
      for (const ws of wss.clients) ws.terminate();
      // Also those that are kept waiting in an upgrade, which the server no longer counts as its own.
      for (const socket of open) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

async function answer(req: IncomingMessage, res: ServerResponse, { publicDir, assetsDir, scene }: { publicDir: string; assetsDir: string; scene: Scene }): Promise<void> {
  const url = new URL(req.url ?? '/', 'http://stage');
  const path = url.pathname.slice(BASE.length);
  res.setHeader('content-security-policy', CSP);
  if (path.startsWith('/api/')) { answerApi(req, res, url, path, scene); return; }
  const inside = normalize(path).replace(/^\/+/, '');
  const file = inside.startsWith('assets/') ? join(assetsDir, inside.slice(7)) : TYPES[extname(inside)] ? join(publicDir, inside) : join(publicDir, 'index.html');
  const body = await readFile(file).catch(() => undefined);
  if (!body) { res.statusCode = 404; res.end(); return; }
  res.setHeader('content-type', `${TYPES[extname(file)] ?? 'text/plain'}; charset=utf-8`);
  res.end(file.endsWith('index.html') ? body.toString().replaceAll('{{base}}', `${BASE}/`) : body);
}

function answerApi(req: IncomingMessage, res: ServerResponse, url: URL, path: string, scene: Scene): void {
  if (scene === 'loading') return;
  if (scene === 'signed-out') { problem(res, 401, 'TOKEN_MISSING', 'This agent wants its token.', 'Open the one-time link that the agent printed, or send Authorization: Bearer.'); return; }
  if (scene === 'error' && path !== '/api/agent') { problem(res, 500, 'INTERNAL', 'Something failed inside the agent.', 'The agent\'s own log has the stack under this operation id.'); return; }
  for (const name of Object.keys(api) as RouteName[]) {
    const route = api[name];
    const match = new RegExp(`^${route.path.replace(/:\w+/g, '([^/]+)')}$`).exec(path);
    if (!match || route.method !== req.method) continue;
    const status = route.method === 'GET' ? 200 : Number(Object.keys(route.answers)[0]);
    const schema = (route.answers as Record<number, z.ZodType | string>)[status];
    const value = canned(name, url.searchParams, match.slice(1), scene);
    res.statusCode = status;
    res.setHeader('content-type', typeof schema === 'string' ? 'text/plain' : 'application/json');
    res.end(typeof schema === 'object' ? JSON.stringify(schema.parse(value)) : 'a file');
    return;
  }
  problem(res, 404, 'NOT_FOUND', `There is nothing at ${path}.`);
}

function problem(res: ServerResponse, status: number, code: string, detail: string, next?: string): void {
  res.statusCode = status;
  res.setHeader('content-type', 'application/problem+json');
  res.end(JSON.stringify({ type: 'about:blank', title: code, status, code, detail, next, operation: 'op-7f3a' }));
}

/** What a route answers in a scene; undefined becomes a failure of its schema, so no route is forgotten. */
function canned(name: RouteName, query: URLSearchParams, params: readonly string[], scene: Scene): unknown {
  const bad = scene === 'failing' || scene === 'many' || scene === 'stale';
  const empty = scene === 'empty';
  const many = scene === 'many';
  const from = Number(query.get('from') ?? site.T - 300_000);
  const to = Number(query.get('to') ?? site.T);
  switch (name) {
    case 'agent': return site.agentInfo(bad);
    case 'doctor': return site.doctor(bad);
    case 'now': return empty ? site.emptyNow : site.now(bad, site.T, Number(query.get('minutes') ?? 5));
    case 'metrics': return site.series(empty ? [] : (query.get('metric') ?? '').split(',').map((m) => MetricId.parse(m)), from, to, Number(query.get('points') ?? 600), bad, site.T + 60_000);
    case 'processes': return { at: site.T, processes: empty ? [] : site.processes(many) };
    case 'process': return site.processDetail;
    case 'processModules': return near.modules(many);
    case 'processThreads': return near.threads(many);
    case 'processConnections': return near.connections(many);
    case 'processStack': return near.stack;
    case 'searchProcesses': return near.search(many, query.get('text') ?? '');
    case 'revealVariable': return { name: 'APPSETTING_PaymentKey', value: 'what only the one who asked sees' };
    case 'endProcess': return { ended: { pid: site.WORKER.pid, startedAt: site.WORKER.startedAt }, at: site.T };
    case 'environment': return near.environment(many, empty);
    case 'surroundings': return near.surroundings;
    case 'logProviders': return { providers: kept.providers(empty), more: many ? 12_400 : 0 };
    case 'snapshots': return near.snapshots(empty);
    case 'compareEnvironments': return near.comparison(many, empty);
    case 'saveMoment': return near.snapshots(false).moments[0];
    case 'app': return { at: site.T, apps: [] };
    case 'requests': return { rows: empty ? [] : filtered(site.requests(bad, many ? MANY : 900), query), more: many };
    case 'http': return stagedHttp(from, to, { bad, many, empty });
    case 'changes': return { changes: empty ? [] : site.changes(bad, many ? 1_900 : 0) };
    case 'logs': return { sources: empty ? [] : site.logSources(many ? 3_000 : 0), more: many ? 1_240 : 0 };
    case 'logLines': return logPage(params[0] ?? 'app1', query);
    case 'diagnosers': return { diagnosers: site.diagnosers };
    case 'startSession': return { session: kept.RUNNING_ID, operation: 'op-1' };
    case 'sessions': return { sessions: empty ? [] : kept.sessions(many), unreadable: 0 };
    case 'session': case 'pinSession': return params[0] === kept.RUNNING_ID ? kept.sessions(false)[0] : kept.doneSession;
    case 'sessionReport': return kept.report();
    case 'operations': return { operations: kept.operations };
    case 'dump': return stagedDump(many, empty);
    case 'readDump': return params[2] === SLOW_FILE ? kept.reading : { ...kept.reading, state: 'done' };
    case 'operation': if (params[0] === kept.reading.id) return kept.reading; return kept.operations[0];
    case 'cancelOperation': case 'enoughOperation': return kept.operations[0];
    case 'restartTargets': return { targets: empty ? [] : site.processes(many).map(({ info }) => ({ info, offer: info.role === 'worker' || info.role === 'php' ? { yes: true } : { yes: false, because: 'this is the agent itself or one of its parents' }, says: 'Ends the requests in flight; the next worker answers after about 2 s.' })) };
    case 'restart': return { ended: { pid: site.WORKER.pid, startedAt: site.WORKER.startedAt }, at: site.T, next: { pid: 6_300, startedAt: site.T + 2_000 } };
    case 'rules': case 'putRules': case 'putRule': case 'deleteRule': return staged.rules(bad, empty, many);
    case 'siteRestart': return cure.restarts(site.T, !empty);
    case 'management': return empty ? { offer: { yes: false, because: 'the management API is off' } } : { offer: { yes: true }, plan: cure.plan };
    case 'judgeScale': return cure.judged;
    case 'serviceHealth': return empty ? { state: 'off', says: 'It is not asked for.', items: [] } : cure.status(site.T);
    case 'autoHeal': return heal.view(empty);
    case 'checkAutoHeal': return heal.check;
    case 'putAutoHeal': case 'restoreAutoHeal': return { changed: true, diff: heal.check.diff, left: [], view: heal.view(empty) };
    case 'autoHealBackup': return heal.compared;
    case 'platformAutoHeal': return heal.platform(empty);
    case 'tryAutoHeal': return heal.tried;
    case 'convertAutoHeal': return heal.converted;
    case 'checkRules': return staged.checked;
    case 'tryRule': return staged.trial;
    case 'rulePresets': return staged.presets;
    case 'ruleHistory': return { entries: empty ? [] : staged.history(many ? MANY : 14), unreadable: 0 };
    case 'alerts': return { channels: empty ? [] : staged.channels };
    case 'putAlert': case 'deleteAlert': case 'testAlert': return { ok: true };
    case 'audit': return { entries: kept.audit(empty ? 0 : many ? 1_000 : 9) };
    case 'login': case 'logout': case 'deleteSession': case 'deleteMoment': case 'askApp': return { ok: true };
    case 'alive': return { name: 'diag', version: '0.1.0' };
    default: return undefined;
  }
}

/** The part of the filter language that the stage's pictures need: failed, one status, one route. */
function filtered(rows: ReturnType<typeof site.requests>, query: URLSearchParams): ReturnType<typeof site.requests> {
  const { terms } = parseHttpFilter(query.get('filter') ?? '');
  return rows.filter((r) => terms.every((t) => {
    if (t.field === 'failed') return r.status >= 500;
    if (t.field === 'is') return t.any.some((s) => ('family' in s ? Math.floor(r.status / 100) === s.family : s.status === r.status && (s.sub ?? r.sub) === r.sub && (s.win32 ?? r.win32) === r.win32));
    return t.field !== 'route' || t.any.some((one) => one.route.join('*') === r.route && (one.method ?? r.method) === r.method);
  }));
}

const START = 20_000;
function logPage(source: string, query: URLSearchParams): unknown {
  const before = query.get('before');
  const limit = Number(query.get('limit') ?? 200);
  const end = before === null ? START : Number(before.split('-')[1]);
  const count = Math.max(0, Math.min(limit, end));
  const lines = keepFiltered(site.logLines(source, count, before === null ? site.T : site.T - (START - end) * 411, end - count), query.get('text') ?? undefined, query.get('levels')?.split(','));
  return { lines, ...(end - count > 0 ? { before: `${source}-${end - count}` } : {}), after: `${source}-${end}`, scannedBytes: 60_000, complete: true };
}

const keepFiltered = (lines: LogLine[], text?: string, levels?: readonly string[]): LogLine[] => lines.filter((l) => (!text || l.text.toLowerCase().includes(text.toLowerCase())) && (!levels || levels.includes(l.level)));

/** The live side: hello, the first of each topic at once, then one step a second until the socket closes. */
function play(ws: WebSocket, scene: Scene, clock: () => number): void {
  const bad = scene === 'failing' || scene === 'many' || scene === 'stale';
  const send = (message: unknown): void => { ws.send(JSON.stringify(ToPage.parse(message))); };
  const followed = new Map<string, FromPage>();
  const roll = site.dice(5);
  let tick = 0;
  send({ type: 'hello', version: '0.1.0', instance: site.app.instance, at: clock(), app: site.app, health: scene === 'empty' ? site.emptyNow.health : site.healthOf(bad) });
  ws.on('message', (data) => {
    const message = FromPage.parse(JSON.parse(String(data)));
    if (message.type === 'leave') { followed.delete(message.id); return; }
    followed.set(message.id, message);
    if (scene !== 'error') first(message, scene, send);
    else if (message.type === 'follow' && message.topic === 'app') send({ type: 'refused', id: message.id, code: 'INTERNAL', detail: 'Something failed inside the agent.' });
  });
  const timer = setInterval(() => {
    if (scene === 'empty' || scene === 'error') return;
    tick += 1;
    const at = Math.floor(clock() / 1_000) * 1_000;
    for (const m of followed.values()) step(m, at, tick, roll(), bad, send);
  }, 1_000);
  ws.on('close', () => clearInterval(timer));
}

function first(m: FromPage, scene: Scene, send: (message: unknown) => void): void {
  if (m.type === 'follow-log') send({ type: 'log', id: m.id, dropped: 0, passed: m.filter ? 431 : 0, cursor: `${m.source}-${START}`, items: scene === 'empty' || m.cursor !== undefined ? [] : [...keepFiltered(site.logLines(m.source, scene === 'many' ? MANY : (m.last ?? 200), site.T, START - (scene === 'many' ? MANY : (m.last ?? 200))), m.filter?.text, m.filter?.levels).map((line) => ({ line })), ...(m.source === 'app1' ? [{ notice: { kind: 'rotated', text: 'The file was rotated; the tail goes on in the new one.', at: site.T } }] : [])] });
  else if (m.type === 'follow-session') send({ type: 'session', id: m.id, session: m.session === kept.RUNNING_ID ? kept.sessions(false)[0] : kept.doneSession });
  else if (m.type === 'follow' && m.topic === 'app' && scene !== 'loading') send({ type: 'app', id: m.id, now: appsNow({ at: site.T, bad: scene === 'failing' || scene === 'many' || scene === 'stale', many: scene === 'many', empty: scene === 'empty', pid: m.pid }) });
  else if (m.type === 'follow' && m.topic === 'operations') send({ type: 'operations', id: m.id, items: kept.operations });
}

function step(m: FromPage, at: number, tick: number, roll: number, bad: boolean, send: (message: unknown) => void): void {
  if (m.type === 'follow-log') send({ type: 'log', id: m.id, items: site.logLines(m.source, 2, at, START + tick * 2).map((line) => ({ line })), dropped: 0, passed: m.filter ? 3 : 0, cursor: `${m.source}-${START + tick * 2}` });
  if (m.type !== 'follow') return;
  if (m.topic === 'samples') send({ type: 'samples', id: m.id, items: site.sampleAt(at, bad, roll), dropped: 0 });
  if (m.topic === 'requests') send({ type: 'requests', id: m.id, items: site.requests(false, 2).map((r, i) => ({ ...r, at, offset: 2_000_000 + tick * 10 + i })), dropped: 0 });
  if (m.topic === 'now') send({ type: 'now', id: m.id, now: site.now(bad, at, m.minutes ?? 5) });
}
