// Owns Kudu's addresses of processes: list, details, threads, program files, variables, end, memory dump and profile.
import { createReadStream } from 'node:fs';
import type { Request } from 'express';
import { maskVariables } from '../../shared/mask.ts';
import { DiagError } from '../../shared/errors.ts';
import type { ProcessInfo } from '../../shared/model.ts';
import { within } from '../../platform/clock.ts';
import type { DumpKind } from '../../platform/platform.ts';
import type { Agent } from '../../agent/agent.ts';
import type { DumpJob } from '../../agent/kudu/dumps.ts';
import { workerOf } from '../../analyze/target.ts';
import { zipOf } from '../../analyze/zip-stream.ts';
import { sendFile } from '../files.ts';
import { bareAddress, described, listed, moduleDescribed, moduleListed, shown, sorted, threadDescribed, threadListed } from './process-shape.ts';
import { refuseHead, type KuduCall, type KuduRoutes } from './route.ts';
import { fileWord, isSet, originOf, rootOf, stamp, word } from './shape.ts';

/** The front end answers for us after 230 s without a byte; before that the client is sent to the same address once more. */
const WAIT_MS = 200_000;
const RETRY_SECONDS = 5;

export function processRoutes(routes: KuduRoutes, agent: Agent): void {
  const { platform, kudu } = agent;
  const base = (req: Request): string => `${rootOf(req)}/processes`;
  const find = async ({ param, signal }: KuduCall): Promise<ProcessInfo> => meantBy(await platform.processes(signal), param('id'));
  routes
    .on('get', '/processes', async ({ req, signal }) => [...await platform.processes(signal)].sort(byName).map((info) => listed(agent, info, `${base(req)}/${info.pid}`)))
    .on('get', '/processes/:id', async (call) => {
      const all = await platform.processes(call.signal);
      return described(agent, meantBy(all, call.param('id')), all, base(call.req), call.signal);
    })
    .on('delete', '/processes/:id', async (call) => { await agent.explorer.end(await find(call), undefined, call.who); call.res.status(204).end(); })
    .on('post', '/processes/:id/stop', async (call) => { await agent.explorer.end(await find(call), undefined, call.who); call.res.status(204).end(); })
    .on('get', '/processes/:id/threads', async (call) => { const { pid } = await find(call); return (await platform.threads(pid, call.signal)).map((one) => threadListed(one, `${base(call.req)}/${pid}/threads/${one.id}`)); })
    .on('get', '/processes/:id/threads/:thread', async (call) => {
      const { pid } = await find(call);
      const one = (await platform.threads(pid, call.signal)).find(({ id }) => String(id) === call.param('thread'));
      if (one === undefined) throw new DiagError('NOT_FOUND', { path: `thread ${call.param('thread').slice(0, 20)} of process ${pid}` });
      return threadDescribed(one, `${base(call.req)}/${pid}/threads/${one.id}`);
    })
    .on('get', '/processes/:id/modules', async (call) => { const { pid } = await find(call); return sorted(await platform.modules(pid, call.signal, true)).map((one) => moduleListed(one, `${base(call.req)}/${pid}/modules/${bareAddress(one)}`)); })
    .on('get', '/processes/:id/modules/:address', async (call) => {
      const { pid } = await find(call);
      const wanted = call.param('address').replace(/^0x/i, '').toLowerCase();
      const one = (await platform.modules(pid, call.signal, true)).find((module) => bareAddress(module) === wanted);
      if (one === undefined) throw new DiagError('NOT_FOUND', { path: `module ${wanted.slice(0, 20)} of process ${pid}` });
      return moduleDescribed(one, `${base(call.req)}/${pid}/modules/${bareAddress(one)}`);
    })
    .on('get', '/processes/:id/environments/:filter', async (call) => environments(agent, await find(call), call))
    .on('get', '/processes/:id/dump', async (call) => { refuseHead(call.req); return dump(agent, await find(call), call); })
    .on('post', '/processes/:id/profile/start', async (call) => { await kudu.profiles.start(await find(call), call.who); call.res.status(200).end(); })
    .on('get', '/processes/:id/profile/stop', async (call) => { refuseHead(call.req); return profile(agent, await find(call), call); })
    .refuse('/processes', '/processes/:id', '/processes/:id/stop', '/processes/:id/threads', '/processes/:id/modules', '/processes/:id/dump', '/processes/:id/profile/start', '/processes/:id/profile/stop');
}

const byName = (a: ProcessInfo, b: ProcessInfo): number => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : a.name.toLowerCase() > b.name.toLowerCase() ? 1 : a.pid - b.pid);

/** `0` is the process that answers, `-1` the main site's worker. @throws PROCESS_GONE */
function meantBy(all: readonly ProcessInfo[], id: string): ProcessInfo {
  if (!/^-?\d{1,10}$/.test(id)) throw new DiagError('BAD_INPUT', { why: 'the id of a process is a number' });
  const wanted = Number(id);
  const found = wanted === -1 ? workerOf(all) : all.find(({ pid }) => pid === (wanted <= 0 ? process.pid : wanted));
  if (found === undefined) throw new DiagError('PROCESS_GONE', { pid: wanted });
  return found;
}

/** `all`, or those whose names have the text in them; masked, but for one that is asked for by its whole name with `?reveal=1`, which is audited. */
async function environments(agent: Agent, { pid, name }: ProcessInfo, call: KuduCall): Promise<object> {
  const filter = call.param('filter').toLowerCase();
  const all = await agent.platform.environment(pid, call.signal);
  const found = all.filter((one) => filter === 'all' || one.name.toLowerCase().includes(filter));
  if (found.length === 0) throw new DiagError('NOT_FOUND', { path: `a variable ${call.param('filter').slice(0, 100)} of process ${pid}` });
  const one = found.find((variable) => variable.name.toLowerCase() === filter);
  if (isSet(word(call.req, 'reveal')) && one !== undefined) {
    await agent.audit(call.who, 'reveal variable', `${one.name} of process ${pid} (${name})`, 'shown');
    return { [one.name]: one.value };
  }
  // Judged among all of them: some variables say of others that they are secret.
  const masked = new Set(found.map((variable) => variable.name));
  return shown(maskVariables(all).filter((variable) => masked.has(variable.name)), agent.mask);
}

/** A job behind the address: waited for, joined, asked again; where the client prefers, answered 202 with the address to ask. */
async function dump(agent: Agent, target: ProcessInfo, call: KuduCall): Promise<void> {
  const { req, res, signal, who } = call;
  const format = (word(req, 'format') ?? 'raw').toLowerCase();
  if (format !== 'raw' && format !== 'zip') throw new DiagError('BAD_INPUT', { why: 'format: raw or zip' });
  const { dumps } = agent.kudu;
  const asked = word(req, 'job');
  const job = asked === undefined ? await dumps.start(target, kindOf(agent, word(req, 'dumpType')), who) : dumps.get(asked, target.pid);
  const preferred = String(req.headers['prefer'] ?? '');
  const async = asked === undefined ? /(?:^|[,;\s])respond-async(?:$|[,;\s])/i.test(preferred) : isSet(word(req, 'async'));
  if (async && job.state === 'running') { accepted(call, job); return; }
  const [, seconds] = /(?:^|[,;\s])wait=(\d{1,3})(?:$|[,;\s])/i.exec(preferred) ?? [];
  const soon = within(Math.min(WAIT_MS, Number(seconds ?? Infinity) * 1_000), signal);
  await Promise.race([job.over, new Promise<void>((resolve) => { soon.addEventListener('abort', () => { resolve(); }, { once: true }); })]);
  if (signal.aborted) return;                                  // the job goes on: who comes back finds it
  if (job.state === 'running') { res.redirect(307, locationOf(req, job.id)); return; }
  if (job.state !== 'done') throw job.error instanceof Error ? job.error : new DiagError('DUMP_FAILED', { pid: target.pid, why: job.note });
  await agent.audit(who, 'download dump', `process ${target.pid} (${target.name})`, 'sent');
  await sendDump(agent, job, format, call);
}

/** Kudu's: 2 is a full dump, everything else a small one; where there is but one kind it is that. */
function kindOf({ platform: { dumpKinds } }: Agent, type: string | undefined): DumpKind {
  if (type !== undefined && !/^\d{1,9}$/.test(type)) throw new DiagError('BAD_INPUT', { why: 'dumpType: a number such as 1 (small) or 2 (full)' });
  const wanted: DumpKind = (Number(type ?? 0) & 2) === 2 ? 'full' : 'mini';
  return dumpKinds.includes(wanted) ? wanted : dumpKinds[0] ?? wanted;
}

function locationOf(req: Request, job: string, extra = ''): string {
  const [path = '', query = ''] = req.originalUrl.split('?', 2);
  const kept = new URLSearchParams(query);
  kept.set('job', job);
  if (extra !== '') kept.set(extra, '1');
  return `${originOf(req)}${path}?${kept.toString()}`;
}

function accepted({ req, res }: KuduCall, job: DumpJob): void {
  res.setHeader('location', locationOf(req, job.id, 'async'));
  res.setHeader('preference-applied', 'respond-async');
  res.setHeader('retry-after', String(RETRY_SECONDS));
  res.status(202).type('application/json').send(JSON.stringify({ id: job.id, state: job.state, note: job.note }));
}

async function sendDump({ platform }: Agent, job: DumpJob, format: 'raw' | 'zip', { req, res, signal }: KuduCall): Promise<void> {
  const name = `${fileWord(job.target.name)}-${platform.host.app.instance.slice(0, 6)}-${stamp(job.startedAt)}`;
  res.setHeader('x-diag-dump', job.note.replace(/[^\x20-\x7e]+/g, ' '));
  if (format === 'raw') { await sendFile(req, res, job.path, { type: 'application/octet-stream', name: `${name}.dmp` }, signal); return; }
  res.attachment(`${name}.zip`);
  res.type('application/zip');
  await zipOf(res, signal, async (add) => { await add(`${name}.dmp`, createReadStream(job.path), new Date(job.startedAt)); });
}

async function profile({ kudu, platform }: Agent, target: ProcessInfo, { res, who }: KuduCall): Promise<void> {
  const text = await kudu.profiles.stop(target.pid, who);
  res.attachment(`${fileWord(target.name)}-${platform.host.app.instance.slice(0, 6)}-${stamp(platform.clock.now())}.cpuprofile`);
  res.type('application/octet-stream').send(Buffer.from(text));
}
