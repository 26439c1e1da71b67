// Owns a memory dump on Linux: the ways to take one, tried in order of how little they stop the app, each named in the result.
import { rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { DiagError } from '../../../shared/errors.ts';
import type { Offer, ProcessKey } from '../../../shared/model.ts';
import type { Env } from '../../identity.ts';
import type { DumpResult } from '../../platform.ts';
import { findProgram, traceRule } from '../may-trace.ts';
import { checkCore, estimateCore as estimate } from './check-core.ts';
import { startTicks } from './facts.ts';
import { dumpCore } from './gcore.ts';
import type { StateOf } from './gcore.ts';
import { runOwnWriter } from './own-writer.ts';
import type { Ended, Progress } from './own-writer.ts';
import type { Reason } from './refused.ts';

export const estimateCore = (pid: number): number | undefined => estimate(pid, ownWriterFits());

export interface DumpOrder {
  readonly target: ProcessKey;
  /** Final name; beside it lies a `.part` file while it is written. */
  readonly file: string;
  readonly env: Env;
  readonly stateOf: StateOf;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** In this order: by how little they stop the app. */
const MODES = ['track', 'fork', 'stop'] as const;
type Mode = (typeof MODES)[number];
const ENGINES: Readonly<Record<Mode, string>> = { track: 'write-tracking', fork: 'copy-on-write', stop: 'stop-and-copy' };
const DECLINED: Readonly<Record<Mode, string>> = { track: 'not copied while it runs', fork: 'no copy of the process', stop: 'not written by us' };

/** With these no other way would do better. */
const FINAL: ReadonlySet<Reason> = new Set(['gone', 'denied', 'unstoppable']);

/** Can a core be taken; asked each time, since gdb may be installed while we run. */
export function dumpOffer(env: Env): Offer {
  if (!ownWriterFits() && findGcore(env) === undefined) {
    return { yes: false, because: 'our own dump writer needs an x64 processor and its native part (koffi), and gcore is not installed; "apt-get install gdb" (Alpine: "apk add gdb") in the container adds it' };
  }
  return traceRule();
}

function findGcore(env: Env): string | undefined {
  return findProgram('gdb', env) === undefined ? undefined : findProgram('gcore', env);
}

let fits: boolean | undefined;
function ownWriterFits(): boolean {
  return fits ??= process.arch === 'x64' && koffiIsThere();
}

function koffiIsThere(): boolean {
  try {
    createRequire(import.meta.url).resolve('koffi');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return false;
    throw error;
  }
}

/** @throws DUMP_FAILED, CANCELLED, CAPABILITY_MISSING. The caller has checked whose process it is. */
export async function takeDump(order: DumpOrder): Promise<DumpResult> {
  const offer = dumpOffer(order.env);
  if (!offer.yes) throw new DiagError('CAPABILITY_MISSING', { what: 'A memory dump', because: offer.because });
  const declined: string[] = [];
  if (ownWriterFits()) {
    for (const mode of MODES) {
      const answer = await own(order, mode);
      if (answer.say === 'done') return await finished(order, mode, answer, declined);
      if (answer.say === 'cancelled') throw new DiagError('CANCELLED', { what: `The dump of process ${order.target.pid}` });
      declined.push(`${DECLINED[mode]}: ${answer.why}`);
      if (answer.say === 'refused' && FINAL.has(answer.reason)) throw new DiagError('DUMP_FAILED', { pid: order.target.pid, why: answer.why });
      if (answer.say === 'refused' && answer.reason === 'architecture') break;
    }
  }
  const gcore = findGcore(order.env);
  if (gcore === undefined) throw new DiagError('DUMP_FAILED', { pid: order.target.pid, why: `${declined.join('; ')}; gcore is not installed` });
  const made = await dumpCore(gcore, order.env, order.stateOf, order.target, order.file, order.signal);
  return declined.length === 0 ? made : { ...made, note: declined.join('; ') };
}

const partOf = ({ file, target }: DumpOrder): string => `${file}.part.${target.pid}`;

async function own(order: DumpOrder, mode: Mode): Promise<Ended> {
  const { pid } = order.target;
  const ticks = startTicks(pid);
  // The state of this very process (pid and start): a number used anew is not touched.
  if (ticks === undefined || order.stateOf(order.target) === undefined) throw new DiagError('DUMP_FAILED', { pid, why: 'it has ended' });
  const answer = await runOwnWriter({ mode, pid, ticks, file: partOf(order) }, order.signal, order.progress);
  if (answer.say !== 'done') await rm(partOf(order), { force: true });
  return answer;
}

async function finished(order: DumpOrder, mode: Mode, answer: Extract<Ended, { say: 'done' }>, declined: readonly string[]): Promise<DumpResult> {
  const part = partOf(order);
  try {
    const size = await checkCore(order.target.pid, part);
    if (order.signal.aborted) throw new DiagError('CANCELLED', { what: `The dump of process ${order.target.pid}` });
    await rename(part, order.file);
    const notes = [...declined, ...answer.missing.map((what) => `left out: ${what}`), ...answer.left];
    return {
      engine: ENGINES[mode], kind: 'core-dump', bytes: size, pausedMs: Math.round(answer.pausedMs * 10) / 10,
      ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
    };
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

