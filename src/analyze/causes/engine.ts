// Owns the diagnosis: claims of all causes over one scene, who explains which row, and the verdict on each cause, best first.
import type { Accounting, Cause, CauseId, Diagnosis } from '../../shared/cause.ts';
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';
import { attribute, takes, type Attributed, type Attribution } from './attribute.ts';
import { confidenceOf } from './confidence.ts';
import { clock, count, mainRoute, oneLine, routesOf, weightOf, type CauseRule, type Claim } from './cause.ts';
import { duration } from '../../shared/units.ts';
import { healthOf } from './healthy.ts';

/** Beyond these a list of proofs is no longer read; the rows are in the artifacts. */
const FACTS_KEPT = 8;
const STEPS_KEPT = 10;
const ROUTES_KEPT = 10;
const UNEXPLAINED_KEPT = 10;
const TITLE_CHARS = 400;
const SURE_ENOUGH = 0.45;
/** A change this long before it began is worth telling; that it came before is all that is said. */
const BEFORE_MS = 3_600_000;

export function diagnose(scene: Scene, rules: readonly CauseRule[]): Diagnosis {
  const claims = rules.flatMap((rule) => rule.judge(scene)).filter((claim) => claim.rows.length > 0 || claim.incidents > 0);
  const rows = [...scene.rows.failed, ...scene.rows.slow];
  const attribution = attribute(claims, rows);
  const standing = attribution.claims.filter((one) => stands(one, attribution, scene));
  const accounting = accountingOf(scene, standing, attribution.left);
  // One whole for all of them, that of the accounting: what was claimed though it is as its route is counts too.
  const whole = weightOf([...new Set([...rows, ...standing.flatMap((one) => one.rows)])]);
  const found = merged(standing).map((one) => foundCause(one, scene, rows, whole)).sort(best);
  const health = healthOf(scene, standing, attribution.left);
  const all = health === undefined ? found : health.first ? [health.cause, ...found] : [...found, health.cause];
  const told = new Set<CauseId>(all.flatMap((c) => [c.id, ...c.leadsTo]));
  const rest = rules.filter((rule) => !told.has(rule.id)).flatMap((rule) => restVerdict(rule, scene, attribution.left));
  return { causes: [...all, ...rest.filter((c) => c.verdict === 'cannot-tell'), ...rest.filter((c) => c.verdict === 'ruled-out')], accounting };
}

/** A claim is found when it explains rows, or is bad in itself, or when nobody knows the rows. What a deeper one has taken is its effect. */
function stands(one: Attributed, { claims }: Attribution, scene: Scene): boolean {
  const { claim } = one;
  if (one.rows.length > 0) return true;
  if (claim.rows.length > 0) return false;
  if (claims.some((other) => other !== one && takes(other.claim, claim) && other.score >= SURE_ENOUGH && (other.rows.length > 0 || other.claim.bad === true))) return false;
  return claim.bad === true || scene.rowsFrom === 'none';
}

/** Claims of one cause that differ in a key only stay apart; those with the same key are one. */
function merged(standing: readonly Attributed[]): readonly Attributed[] {
  const byKey = new Map<string, Attributed>();
  for (const one of standing) {
    const key = `${one.claim.cause} ${one.claim.key}`;
    const known = byKey.get(key);
    if (!known || one.failed + one.slow > known.failed + known.slow) byKey.set(key, one);
  }
  return [...byKey.values()];
}

function foundCause(one: Attributed, scene: Scene, all: readonly Row[], whole: number): Cause {
  const { claim } = one;
  const rows = [...one.rows].sort((a, b) => a.at - b.at);
  const since = Math.min(claim.since ?? Infinity, rows[0]?.at ?? Infinity);
  const before = beforeOf(since, scene, claim);
  return {
    id: claim.cause, verdict: 'found', confidence: confidenceOf(one, scene, all),
    title: sentence(claim.title({ failed: one.failed, slow: one.slow, total: scene.rows.total, route: mainRoute(rows), since: Number.isFinite(since) ? since : undefined })),
    ...(Number.isFinite(since) ? { since: Math.max(0, Math.round(since)) } : {}), ...(before === undefined ? {} : { before }),
    failedRequests: Math.round(one.failed), slowRequests: Math.round(one.slow), share: whole === 0 ? 0 : Math.min(1, (one.failed + one.slow) / whole),
    routes: routesOf(rows).slice(0, ROUTES_KEPT).map((r) => ({ ...r, method: oneLine(r.method, 20), route: oneLine(r.route, 200) })), instances: [...new Set(rows.map((r) => r.instance))].filter((i) => i !== '').sort().slice(0, 20).map((i) => oneLine(i, 80)),
    chain: claim.chain.slice(0, STEPS_KEPT).map((s) => ({ ...s, what: oneLine(s.what, 240) })), for: claim.for.slice(0, FACTS_KEPT), against: claim.against.slice(0, FACTS_KEPT),
    leadsTo: [...new Set(one.effects.map((e) => e.cause))].filter((id) => id !== claim.cause).sort(), advice: [...claim.advice], mitigations: [...claim.mitigations ?? []], collect: [],
  };
}

/** Stands in titles, lists and terminals: one plain line. */
function sentence(text: string): string {
  return oneLine(text.replaceAll('`', ''), TITLE_CHARS).replace(/: \.$|; \.$/, '.');
}

/** The last change before it began. */
function beforeOf(since: number, scene: Scene, claim: Claim): string | undefined {
  if (!Number.isFinite(since) || claim.cause === 'bad-deployment' || claim.cause === 'bad-configuration') return undefined;
  const change = scene.lives.changes.filter((c) => c.at <= since + 999 && c.at >= since - BEFORE_MS).at(-1);
  return change === undefined ? undefined : `${oneLine(change.said, 120)} at ${clock(change.at)}, ${duration(Math.max(0, since - change.at))} before it began.`;
}

/** Failed requests weigh more than slow ones, and what was seen more than what may be. */
function best(a: Cause, b: Cause): number {
  return weigh(b) - weigh(a) || (b.confidence?.score ?? 0) - (a.confidence?.score ?? 0) || (a.id < b.id ? -1 : a.id > b.id ? 1 : a.title < b.title ? -1 : 1);
}

function weigh(cause: Cause): number {
  return (cause.failedRequests + cause.slowRequests / 4) * (cause.confidence?.score ?? 0);
}

function restVerdict(rule: CauseRule, scene: Scene, left: readonly Row[]): Cause[] {
  const fact = rule.excludes(scene);
  const empty = { id: rule.id, failedRequests: 0, slowRequests: 0, share: 0, routes: [], instances: [], chain: [], for: [], against: [], leadsTo: [], advice: [], mitigations: [], collect: [] };
  if (fact !== undefined) return [{ ...empty, verdict: 'ruled-out', title: `Not ${rule.about}: ${fact}.`, against: [{ text: fact }] }];
  const open = left.filter((row) => rule.explains.some((e) => (e === 'slow' ? row.slow : row.effect === e)));
  if (rule.needs.some((need) => scene.has.has(need))) return [];
  if (open.length === 0 && (scene.rowsFrom !== 'none' || scene.rows.total > 0)) return [];
  return [{ ...empty, verdict: 'cannot-tell', collect: [...rule.collect], title: `Whether it was ${rule.about} cannot be told${open.length > 0 ? `, though it could explain ${count(Math.round(weightOf(open)))} of them` : ''}: what would show it was not collected${rule.byHand === undefined ? '' : ` (${rule.byHand}, handed to diag analyze, tells it too)`}.` }];
}

function accountingOf(scene: Scene, standing: readonly Attributed[], left: readonly Row[]): Accounting {
  const { rows } = scene;
  const long = weightOf([...new Set(standing.flatMap((s) => s.rows))].filter((r) => r.effect === 'fine' && !r.slow));
  const bySignature = new Map<string, { key: string; count: number; firstAt: number; lastAt: number }>();
  for (const row of left) {
    const key = row.slow ? 'slow' : [row.status, row.sub, row.win32 === 0 ? undefined : row.win32].filter((p) => p !== undefined).join('.');
    const known = bySignature.get(key) ?? { key, count: 0, firstAt: row.at, lastAt: row.at };
    bySignature.set(key, { key, count: known.count + row.weight, firstAt: Math.min(known.firstAt, row.at), lastAt: Math.max(known.lastAt, row.at) });
  }
  return {
    requests: rows.total, failed: rows.failures, slow: Math.round(weightOf(rows.slow) + long), explained: Math.round(standing.reduce((n, s) => n + s.failed + s.slow, 0)),
    unexplained: [...bySignature.values()].map((u) => ({ ...u, count: Math.round(u.count) })).sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)).slice(0, UNEXPLAINED_KEPT),
    aborts: rows.aborts, from: scene.rowsFrom, sampled: rows.sampled,
  };
}
