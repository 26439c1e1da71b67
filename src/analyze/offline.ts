// Owns judging without an agent: someone's bundle, folder or logs in, a report out; the same input gives the same report.
import type { Report, Session, Step } from '../shared/model.ts';
import type { Clock } from '../platform/clock.ts';
import { LIMITS } from './collect.ts';
import type { Analyzer } from './contracts.ts';
import { finalReport } from './final-report.ts';
import { openMaterial, type OpenGiven, type Opened } from './open-bundle.ts';
import { givenOf } from './readers.ts';
import { reportHtml } from './report-html.ts';
import { runAnalyzers, type Judged } from './run-analyzers.ts';

export interface OfflineGiven extends OpenGiven {
  readonly analyzers: readonly Analyzer[];
  readonly toolVersion: string;
  readonly reportCss: string;
  readonly clock: Clock;
  readonly thread?: string | undefined;
}

/** @throws BUNDLE_UNREADABLE, BAD_INPUT, and what the disk throws */
export async function analyzeMaterial(paths: readonly string[], given: OfflineGiven): Promise<{ readonly report: Report; readonly html: string; readonly notes: readonly string[] }> {
  const opened = await openMaterial(paths, given);
  try {
    const { session, findings, diagnosis, http } = await judge(opened, given);
    const report = await finalReport({
      session, app: opened.app, toolVersion: given.toolVersion, ...(opened.target && { target: opened.target }),
      window: opened.window, findings, diagnosis, http, readers: givenOf(opened.placed),
    });
    return { report, html: reportHtml(report, given.reportCss), notes: opened.notes };
  } finally {
    await opened.close();
  }
}

async function judge(opened: Opened, given: OfflineGiven): Promise<Judged & { session: Session }> {
  const steps = new Map<string, Step>(given.analyzers.map((a) => [a.id, { id: a.id, stage: 'analyze', title: a.title, state: 'waiting' }]));
  const step = (id: string, patch: Partial<Step>): void => { const one = steps.get(id); if (one) steps.set(id, { ...one, ...patch }); };
  const judgement = await runAnalyzers({ analyzers: given.analyzers, artifacts: opened.placed, window: opened.window, thread: given.thread, clock: given.clock, limitMs: LIMITS.analyzerMs, cancel: given.signal, step });
  const collected = opened.session.steps.filter((s) => s.stage === 'collect');
  const judged = [...steps.values()].map((s) => timed(s, opened.session.steps));
  const state = opened.session.state === 'done' && judged.some((s) => s.state === 'failed') ? 'partial' : opened.session.state;
  return { session: { ...opened.session, state, steps: [...collected, ...judged], report: true }, ...judgement };
}

/** When and how long is of this run, not of the material: the record's own times where it has them, else none. */
function timed(step: Step, recorded: readonly Step[]): Step {
  const { startedAt: _at, tookMs: _took, ...rest } = step;
  const old = recorded.find((s) => s.stage === 'analyze' && s.id === step.id && s.state === step.state);
  return { ...rest, ...(old?.startedAt !== undefined && { startedAt: old.startedAt }), ...(old?.tookMs !== undefined && { tookMs: old.tookMs }) };
}
