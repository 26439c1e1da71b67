// Owns `diag restart`: names the process, asks, ends it or has it replaced, and says which one came next.
import { createInterface } from 'node:readline/promises';
import { DiagError } from '../../shared/errors.ts';
import type { Diag } from '../../shared/connect.ts';
import { utc } from '../../shared/units.ts';
import type { Remote } from '../options.ts';
import { print, printJson, safeLine } from '../print.ts';
import { withAgent } from '../reach.ts';
import { stop } from '../until.ts';
import { restartSite, wayOf, type SiteOptions } from './restart-site.ts';

type Target = Awaited<ReturnType<Diag['restartTargets']>>['targets'][number];
interface Options extends Remote, Omit<SiteOptions, 'json'> { readonly pid?: number }

export async function restart(options: Options): Promise<void> {
  // Before anything is looked at: a script that cannot be asked must say so itself.
  const canAsk = process.stdin.isTTY === true && options.json !== true;
  const way = wayOf(options);
  if (options.cancel === true) return withAgent(options, async ({ diag }) => { await diag.stopWalk(); if (options.json) printJson({ ok: true }); else print('The restart over the instances stops; an instance that has begun finishes.'); });
  if (options.yes !== true && !canAsk) throw new DiagError('BAD_INPUT', { why: 'there is no terminal to ask on; confirm with --yes' });
  await withAgent(options, async ({ diag }) => {
    if (way !== undefined) { await restartSite(diag, way, options, confirmed); return; }
    const target = choose((await diag.restartTargets()).targets, options.pid);
    const { pid, startedAt, name } = target.info;
    if (options.yes !== true && !await confirmed(`Restart ${safeLine(name)} ${pid}, started ${utc(startedAt)}? ${safeLine(target.says)} [y/N] `)) { print('Nothing was done.'); return; }
    const done = await diag.restart({ body: { pid, startedAt, ...(options.reason === undefined ? {} : { reason: options.reason }), ...(options.overlapped === true ? { overlapped: true } : {}) } });
    if (options.json) printJson(done);
    else print(`Process ${pid} ended at ${utc(done.at)}${done.next ? `; process ${done.next.pid} runs now.` : '. No new one was seen yet: look at diag top.'}`);
  });
}

function choose(targets: readonly Target[], pid: number | undefined): Target {
  if (pid !== undefined) {
    const named = targets.find((t) => t.info.pid === pid);
    if (!named) throw new DiagError('PROCESS_GONE', { pid });
    if (!named.offer.yes) throw new DiagError('CAPABILITY_MISSING', { what: `A restart of process ${pid}`, because: named.offer.because });
    return named;
  }
  const workers = targets.filter((t) => t.offer.yes && t.info.role === 'worker');
  const [only] = workers;
  if (only && workers.length === 1) return only;
  throw new DiagError('BAD_INPUT', { why: workers.length === 0 ? 'no worker is running; name a process with --pid' : `there are ${workers.length} workers (${workers.map((t) => t.info.pid).join(', ')}); name one with --pid` });
}

/** No answer (the end of input) is a no; Ctrl+C ends the command. */
async function confirmed(question: string): Promise<boolean> {
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((done) => { asked.once('close', () => { done(''); }); });
  // In raw mode the terminal gives Ctrl+C to us as a key.
  asked.on('SIGINT', () => { process.kill(process.pid, 'SIGINT'); });
  try {
    return /^\s*y(es)?\s*$/i.test(await Promise.race([asked.question(question, { signal: stop }), closed]));
  } finally {
    asked.close();
  }
}
