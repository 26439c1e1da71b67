// Owns `diag diagnose`: starts a session, shows its steps on a terminal, and ends with the report.
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import { address, ApiProblem } from '../../shared/connect.ts';
import type { Session } from '../../shared/model.ts';
import { systemClock, within } from '../../platform/clock.ts';
import { download } from '../download.ts';
import { exitCode } from '../exit.ts';
import { keepLine } from '../live-line.ts';
import { fails, type FailOn, type Remote } from '../options.ts';
import { print, printJson, safeLine } from '../print.ts';
import { printReport } from '../print-report.ts';
import { Progress } from '../progress.ts';
import { withAgent, type Reached } from '../reach.ts';
import { outputClosed, stop } from '../until.ts';

const LOOK_EVERY_MS = 250;
/** A call of its own limit: a session goes on, and can be cancelled, while the command is being ended. */
const CALL_MS = 30_000;
/** An agent that restarts is back within this; its session is then marked interrupted. */
const AWAY_MS = 60_000;

interface Options extends Remote { readonly out?: string; readonly only?: readonly string[]; readonly skip?: readonly string[]; readonly pid?: number; readonly minutes?: number; readonly reason?: string; readonly failOn: FailOn }
type Choice = NonNullable<Parameters<Reached['diag']['startSession']>[0]>['body'];

export async function diagnose(options: Options): Promise<void> {
  await withAgent(options, async (reached) => {
    const choice = await choiceOf(reached, options);
    const { session: id, operation } = await reached.diag.startSession({ body: choice, signal: within(CALL_MS) });
    keepLine(`session ${id} started; Ctrl+C cancels it`);
    const session = await ended(reached, id, operation);
    if (session.state === 'cancelled') throw new DiagError('CANCELLED', { what: `Session ${id}` });
    if (!session.report) throw new DiagError('REPORT_NOT_READY', { session: id, state: session.state });
    await answer(reached, session, options);
  });
}

async function answer(reached: Reached, session: Session, options: Options): Promise<void> {
  const report = await reached.diag.sessionReport({ params: { session: session.id } });
  const folder = options.out === undefined ? undefined : resolve(options.out);
  if (folder !== undefined) await keep(reached, session.id, folder);
  if (options.json) printJson(report);
  else {
    printReport(report);
    print();
    print(`session ${session.id} (${session.state})${folder === undefined ? `; fetch it with: diag bundle ${session.id}` : `, written to ${safeLine(folder)}`}`);
  }
  if (session.state === 'failed') exitCode(3);
  else if (fails(report.findings, options.failOn)) exitCode(1);
}

async function choiceOf({ diag }: Reached, options: Options): Promise<Choice> {
  const { diagnosers } = await diag.diagnosers();
  for (const id of [...options.only ?? [], ...options.skip ?? []]) if (!diagnosers.some((d) => d.id === id)) throw new DiagError('DIAGNOSER_UNKNOWN', { id });
  const wanted = options.only ?? diagnosers.filter((d) => d.preselected).map((d) => d.id);
  const ids = [...new Set(wanted)].filter((id) => options.skip?.includes(id) !== true);
  if (ids.length === 0) throw new DiagError('BAD_INPUT', { why: '--skip leaves no diagnoser' });
  const target = options.pid === undefined ? undefined : (await diag.processes()).processes.find((p) => p.info.pid === options.pid)?.info;
  if (options.pid !== undefined && !target) throw new DiagError('PROCESS_GONE', { pid: options.pid });
  return {
    diagnosers: ids.map((id) => ({ id })),
    ...(target ? { target: { pid: target.pid, startedAt: target.startedAt } } : {}),
    ...(options.minutes === undefined ? {} : { minutes: options.minutes }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  };
}

/** Waits for the session's end, over an agent that is away for a moment. The user's wish to stop cancels it; the wait goes on until it has. */
async function ended(from: Reached, id: string, operation: string): Promise<Session> {
  const progress = new Progress();
  let reached = from;
  let cancelled = false;
  let seenAt = systemClock.monotonic();
  try {
    for (;;) {
      if (stop.aborted && !outputClosed() && !cancelled) cancelled = await cancel(reached, operation);
      try {
        const session = await reached.diag.session({ params: { session: id }, signal: within(CALL_MS) });
        seenAt = systemClock.monotonic();
        progress.show(session);
        if (session.state !== 'running') return session;
      } catch (error) {
        // What is cancelled leaves nothing, in the end not even its record.
        if (cancelled && error instanceof ApiProblem && error.code === 'SESSION_UNKNOWN') throw new DiagError('CANCELLED', { what: `Session ${id}` });
        if (!(error instanceof DiagError) || error.code !== 'UNREACHABLE' || systemClock.monotonic() - seenAt > AWAY_MS) throw error;
        reached = await reached.again();
      }
      await pause();
    }
  } finally {
    progress.end();
  }
}

/** A moment, cut short by the user's wish; after that wish each moment is whole. */
async function pause(): Promise<void> {
  const signal = stop.aborted ? new AbortController().signal : stop;
  await systemClock.wait(LOOK_EVERY_MS, signal).catch((error: unknown) => { if (!stop.aborted) throw error; });
}

/** @returns false when the agent did not hear it: asked again at the next look */
async function cancel({ diag }: Reached, operation: string): Promise<boolean> {
  keepLine('cancelling …');
  try {
    await diag.cancelOperation({ params: { operation }, signal: within(CALL_MS) });
    return true;
  } catch (error) {
    if (error instanceof DiagError && error.code === 'UNREACHABLE') return false;
    throw error;
  }
}

async function keep(reached: Reached, session: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await download(reached, address(reached.url, 'sessionReport', { session }), join(folder, 'report.json'));
  await download(reached, address(reached.url, 'sessionPage', { session }), join(folder, 'report.html'));
  await download(reached, address(reached.url, 'sessionBundle', { session }), join(folder, 'bundle.zip'));
}
