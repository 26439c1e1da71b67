// Owns the course of a restart over the instances as pure judgements of what lies on the shared home: how it stands, and whose turn it is.
import type { z } from 'zod';
import type { Walk, WalkOrder, WalkStop, WalkTurn, WalkView } from '../shared/restart.ts';
import { duration } from '../shared/units.ts';

/** An instance whose turn it is and that shows no sign for so long has gone: a start may take two minutes, and signs come every few seconds. */
export const SILENT_MS = 180_000;
/** Who began it has to say within this who takes part. */
const CALL_MS = 60_000;

export interface WalkFiles {
  readonly walk: Walk;
  readonly order: z.infer<typeof WalkOrder> | undefined;
  readonly turns: readonly WalkTurn[];
  readonly stop: z.infer<typeof WalkStop> | undefined;
}

/** What this agent has seen, in its own time: two machines' clocks are never compared. */
export interface Watched {
  /** Since the last sign of anybody. */
  readonly quietMs: number;
  /** This instance has already said that it is there. */
  readonly said: boolean;
}

export type Move = 'none' | 'say-present' | 'take-turn' | 'call-silence';

export function viewOf({ walk, order, turns, stop }: WalkFiles): WalkView {
  const { version: _, ...about } = walk;
  const instances = (order?.instances ?? []).map((instance): WalkView['instances'][number] => {
    const turn = turns.find((one) => one.instance === instance);
    return turn === undefined ? { instance, state: 'waiting' } : { instance, state: turn.state, at: turn.at, ...(turn.says === undefined ? {} : { says: turn.says }) };
  });
  const done = instances.filter(({ state }) => state === 'done').length;
  const failed = instances.find(({ state }) => state === 'failed');
  const end = (state: WalkView['state'], says: string): WalkView => ({ ...about, instances, state, says });
  if (order !== undefined && done === instances.length) return end('done', `${instances.length === 1 ? 'The one instance was' : `All ${instances.length} instances were`} restarted, and ${instances.length === 1 ? 'answers' : 'each answered before the next one'}.`);
  if (failed !== undefined) return end('failed', `Stopped at instance ${failed.instance}, ${done} of ${instances.length} restarted: ${failed.says ?? 'it failed'}.`);
  if (stop !== undefined) return end(stop.by === 'cancel' ? 'cancelled' : 'failed', `${stop.by === 'cancel' ? `Stopped by ${stop.who}` : `Stopped: ${stop.says}`}, ${done} of ${instances.length} instances restarted.`);
  if (order === undefined) return end('calling', 'The instances are asked who is there.');
  const now = instances.find(({ state }) => state !== 'done');
  const doing = now?.state === 'waiting' ? (done === 0 ? 'has the first turn' : `is next after a pause of ${duration(walk.pauseMs)}`) : now?.state === 'probing' ? 'is asked whether it is well' : 'is restarted';
  return end('running', `Instance ${now?.instance}, ${done + 1} of ${instances.length}, ${doing}${now?.says === undefined ? '' : `: ${now.says}`}.`);
}

/** What the agent of `instance` has to do now. */
export function moveOf(files: WalkFiles, instance: string, { quietMs, said }: Watched): Move {
  const view = viewOf(files);
  if (view.state === 'calling') return quietMs >= CALL_MS ? 'call-silence' : said ? 'none' : 'say-present';
  if (view.state !== 'running') return 'none';
  const at = view.instances.findIndex(({ state }) => state !== 'done');
  const now = view.instances[at];
  const pauseMs = at === 0 || now?.state !== 'waiting' ? 0 : files.walk.pauseMs;
  if (now?.instance === instance) return quietMs >= pauseMs ? 'take-turn' : 'none';
  return quietMs >= pauseMs + SILENT_MS ? 'call-silence' : 'none';
}

/** Changes with every sign of life. */
export const signOf = ({ walk, order, turns, stop }: WalkFiles): string => JSON.stringify([walk.id, order?.instances, turns.map(({ instance, state, beat }) => [instance, state, beat]), stop?.at]);
