// Owns `diag restart`: names the process, asks, ends it, and says which one came next.
import { createInterface } from 'node:readline/promises';
import { DiagError } from '../../shared/errors.ts';
import type { Diag } from '../../shared/connect.ts';
import { utc } from '../../shared/units.ts';
import type { Remote } from '../options.ts';
import { print, printJson } from '../print.ts';
import { withAgent } from '../reach.ts';

type Target = Awaited<ReturnType<Diag['restartTargets']>>['targets'][number];

export async function restart(options: Remote & { pid?: number; reason?: string; yes?: boolean }): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    const target = choose((await diag.restartTargets()).targets, options.pid);
    const { pid, startedAt, name } = target.info;
    if (!options.yes && !options.json && !(await confirmed(`Restart ${name} ${pid}, started ${utc(startedAt)}? ${target.says} [y/N] `))) { print('Nothing was done.'); return; }
    const done = await diag.restart({ body: { pid, startedAt, ...(options.reason ? { reason: options.reason } : {}) } });
    if (options.json) printJson(done);
    else print(done.next ? `Process ${pid} ended at ${utc(done.at)}; process ${done.next.pid} runs now.` : `Process ${pid} ended at ${utc(done.at)}. No new one was seen within 20 s.`);
  });
}

function choose(targets: readonly Target[], pid: number | undefined): Target {
  const possible = targets.filter((t) => t.offer.yes);
  if (pid !== undefined) {
    const named = targets.find((t) => t.info.pid === pid);
    if (!named) throw new DiagError('PROCESS_GONE', { pid });
    if (!named.offer.yes) throw new DiagError('CAPABILITY_MISSING', { what: `A restart of process ${pid}`, because: named.offer.because });
    return named;
  }
  const workers = possible.filter((t) => t.info.role === 'worker');
  const [only] = workers;
  if (only && workers.length === 1) return only;
  throw new DiagError('BAD_INPUT', { why: workers.length === 0 ? 'no worker is running; name a process with --pid' : `there are ${workers.length} workers (${workers.map((t) => t.info.pid).join(', ')}); name one with --pid` });
}

async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new DiagError('BAD_INPUT', { why: 'there is no terminal to ask on; confirm with --yes' });
  const line = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await line.question(question)).trim());
  } finally {
    line.close();
  }
}
