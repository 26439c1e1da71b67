// Owns the proof that a change of the site began the failures: what was before it, how soon after it they began, and what ended them.
import { duration } from '../../shared/units.ts';
import type { ChangeEvent } from '../events/event.ts';
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';
import { signOf, type Sign } from '../events/signs.ts';
import { exceptionName } from '../crash-chain.ts';
import { clock, count, plural, weightOf, type Weight } from './cause.ts';

/** A handful of requests before proves nothing. */
const LEAST_BEFORE = 15;
const BEFORE_SHARE = 0.02;
const AFTER_SHARE = 0.03;
const SOON_MS = 300_000;
/** Restart and first requests. */
const AT_ONCE_MS = 60_000;
/** What a server outside says of itself is no error that code brought with it. */
const OUTSIDE: ReadonlySet<Sign> = new Set(['connect-refused', 'connect-timed-out', 'connection-reset', 'call-timed-out', 'host-unknown', 'server-full', 'listening', 'collecting']);
/** What falls into the change's own restart is that restart's. */
const RESTART_MS = 10_000;

export interface AfterChange { readonly change: ChangeEvent; readonly rows: readonly Row[]; readonly weights: readonly Weight[]; readonly mechanism: string | undefined }

/** The last change before the failures that turned a healthy app into a failing one. */
export function afterChange(scene: Scene, kind: ChangeEvent['kind']): AfterChange | undefined {
  const changes = scene.lives.changes.filter((c) => c.kind === kind);
  for (const [i, change] of [...changes.entries()].reverse()) {
    const next = scene.lives.changes.find((c) => c.at > change.at)?.at;
    const found = judged(scene, change, changes[i + 1]?.at ?? next ?? Infinity);
    if (found) return found;
  }
  return undefined;
}

function judged(scene: Scene, change: ChangeEvent, until: number): AfterChange | undefined {
  const rows = [...scene.rows.failed, ...scene.rows.slow].filter((r) => r.until >= change.at && r.at < until && r.effect !== 'gone').sort((a, b) => a.at - b.at);
  const lasting = rows.filter((r) => r.at > change.at + RESTART_MS);
  const [first] = lasting;
  if (!first || lasting.length < 2) return undefined;
  const { norms } = scene.rows;
  const before = norms.within('', undefined, scene.window.from, change.at - norms.slotMs);
  const after = norms.within('', undefined, first.at, Math.min(until, scene.window.to));
  const failedBefore = scene.rows.failed.filter((r) => r.at < change.at);
  if (change.at <= scene.window.from || before.count < LEAST_BEFORE || weightOf(failedBefore) > before.count * BEFORE_SHARE || weightOf(lasting) < after.count * AFTER_SHARE) return undefined;
  const gapMs = first.at - change.at;
  const weights: Weight[] = [{ by: 0.5, says: `before it ${count(before.count)} requests went well` }, gapMs <= SOON_MS ? { by: gapMs <= AT_ONCE_MS ? 0.5 : 0.3, says: `the first failure came ${duration(Math.max(0, gapMs))} after it` } : { by: 0.1, says: `the first failure came ${duration(gapMs)} after it` }];
  if (change.failed) weights.push({ by: 0.4, says: 'the deployment itself failed' });
  const later = norms.within('', undefined, until, scene.window.to);
  if (Number.isFinite(until) && later.count >= LEAST_BEFORE && later.failed <= later.count * BEFORE_SHARE) weights.push({ by: 0.5, says: 'the next change ended the failures' });
  const mechanism = mechanismOf(scene, change.at);
  if (mechanism !== undefined) weights.push({ by: 0.3, says: 'an error that was not there before came with it' });
  return { change, rows, weights, mechanism };
}

/** The first exception or line that came only after the change. */
function mechanismOf(scene: Scene, at: number): string | undefined {
  const fresh = scene.logs.exceptions.find((e) => e.seen.some((s) => s.at !== undefined && s.at >= at) && !e.seen.some((s) => s.at !== undefined && s.at < at) && !OUTSIDE.has(signOf(e.sample.text)?.sign ?? 'php-fatal')) ?? scene.logs.exceptions.find((e) => e.fatal > 0 && e.seen.every((s) => s.at === undefined));
  if (fresh) return exceptionName(fresh, true);
  const sign = scene.logs.signs.find((s) => !OUTSIDE.has(s.sign) && s.times.length > 0 && (s.times[0] ?? 0) >= at);
  return sign?.text;
}

export function changeFacts({ change, rows }: AfterChange): { text: string; at: number; where: string }[] {
  return [{ text: `${change.said} at ${clock(change.at)}`, at: change.at, where: change.proof.where }, ...(rows[0] ? [{ text: `${plural(Math.round(weightOf(rows)), 'request')} failed or were slow after it, the first at ${clock(rows[0].at)}`, at: rows[0].at, where: rows[0].source }] : [])];
}
