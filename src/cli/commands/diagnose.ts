// Owns `diag diagnose`: starts a session, shows its steps, and ends with the report.
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DiagError } from '../../shared/errors.ts';
import { address } from '../../shared/connect.ts';
import type { Session } from '../../shared/model.ts';
import { download } from '../download.ts';
import { exitCode } from '../exit.ts';
import { fails, type FailOn, type Remote } from '../options.ts';
import { print, printJson, printReport, remark, safe, took } from '../print.ts';
import { withAgent, type Reached } from '../reach.ts';
import { interrupted } from '../until.ts';

const LOOK_EVERY_MS = 250;

interface Options extends Remote { out?: string; only?: string; skip?: string; pid?: number; minutes?: number; reason?: string; failOn: FailOn }

export async function diagnose(options: Options): Promise<void> {
  await withAgent(options, async (reached) => {
    const stop = interrupted();
    const { session: id, operation } = await reached.diag.startSession({ body: await choiceOf(reached, options) });
    stop.addEventListener('abort', () => { void reached.diag.cancelOperation({ params: { operation } }); }, { once: true });
    const session = await ended(reached, id, options.json !== true);
    if (!session.report) throw new DiagError('REPORT_NOT_READY', { session: id, state: session.state });
    const report = await reached.diag.sessionReport({ params: { session: id } });
    if (options.out) await keep(reached, id, resolve(options.out));
    if (options.json) printJson(report);
    else { printReport(report); print(); print(`session ${id} (${session.state})${options.out ? `, written to ${resolve(options.out)}` : `; fetch it with: diag bundle ${id}`}`); }
    if (session.state === 'failed') exitCode(3);
    else if (fails(report.findings, options.failOn)) exitCode(1);
  });
}

async function choiceOf({ diag }: Reached, options: Options): Promise<Parameters<typeof diag.startSession>[0]['body']> {
  const { diagnosers } = await diag.diagnosers();
  const skipped = new Set(options.skip?.split(',') ?? []);
  const ids = options.only?.split(',') ?? diagnosers.filter((d) => d.preselected && !skipped.has(d.id)).map((d) => d.id);
  const target = options.pid === undefined ? undefined : (await diag.processes()).processes.find((p) => p.info.pid === options.pid)?.info;
  if (options.pid !== undefined && !target) throw new DiagError('PROCESS_GONE', { pid: options.pid });
  return {
    diagnosers: ids.map((id) => ({ id })),
    ...(target ? { target: { pid: target.pid, startedAt: target.startedAt } } : {}),
    ...(options.minutes === undefined ? {} : { minutes: options.minutes }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  };
}

/** Waits for the end; each step is said once, when it ended. */
async function ended({ diag }: Reached, id: string, says: boolean): Promise<Session> {
  const said = new Set<string>();
  for (;;) {
    const session = await diag.session({ params: { session: id } });
    for (const step of session.steps) {
      if (!says || said.has(step.id) || step.state === 'waiting' || step.state === 'running') continue;
      said.add(step.id);
      remark(`${step.state.padEnd(9)} ${step.title}${step.tookMs === undefined ? '' : `, ${took(step.tookMs)}`}${step.because ? `: ${safe(step.because)}` : ''}`);
    }
    if (session.state !== 'running') return session;
    await sleep(LOOK_EVERY_MS);
  }
}

async function keep(reached: Reached, session: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await download(reached, address(reached.url, 'sessionReport', { session }), join(folder, 'report.json'));
  await download(reached, address(reached.url, 'sessionPage', { session }), join(folder, 'report.html'));
  await download(reached, address(reached.url, 'sessionBundle', { session }), join(folder, 'bundle.zip'));
}
