// Owns the cause traffic-spike: many more requests than usual came at once, and only then did they fail or become slow.
import { percent } from '../../shared/units.ts';
import { effectText, count, clock, rowsFact, oneLine, weightOf, type CauseRule, type Claim, type Weight } from './cause.ts';
import type { Scene } from '../events/scene.ts';

/** So many times the usual rate is no daily rhythm. */
const TIMES = 4;
const LEAST_RATE = 20;
/** Steps of usual traffic that must be known. */
const LEAST_BASE = 12;
const FEW_CLIENTS = 0.7;
/** What is too much hits more than a few. */
const HIT_SHARE = 0.1;

export const trafficSpike: CauseRule = {
  id: 'traffic-spike', about: 'a spike of traffic', explains: ['busy', 'silent', 'slow'], needs: ['http'], collect: ['http-logs'],
  judge(scene): Claim[] {
    const spike = spikeIn(scene);
    if (!spike) return [];
    const open = [...scene.rows.failed.filter((r) => r.effect === 'busy' || r.effect === 'silent' || r.effect === 'answered' || r.effect === 'stopped' || r.effect === 'gateway'), ...scene.rows.slow].sort((a, b) => a.at - b.at);
    const rows = open.filter((r) => r.until >= spike.from && r.from <= spike.until);
    const outside = open.filter((r) => !rows.includes(r)).length;
    if (rows.length < 3 || outside > rows.length / 4) return [];
    const client = [...scene.rows.clients].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0];
    const one = client !== undefined && client[1] > scene.rows.total * FEW_CLIENTS ? client[0] : undefined;
    const weights: Weight[] = [{ by: 0.55, says: `${count(Math.round(spike.times))} times the usual rate of requests` }, { by: 0.35, says: 'nothing failed or was slow outside of the spike' }];
    if (one !== undefined) weights.push({ by: 0.2, says: 'most of them came from one client' });
    const meanwhile = scene.rows.norms.within('', undefined, spike.from, spike.until).count;
    if (weightOf(rows) < meanwhile * HIT_SHARE) weights.push({ by: -0.65, says: `nearly all of the ${count(meanwhile)} requests of that time were answered as usual` });
    if (scene.lives.exits.some((e) => !e.planned && e.at >= spike.from - 5_000 && e.at <= spike.until)) weights.push({ by: -0.4, says: 'a process ended by itself meanwhile' });
    return [{
      cause: 'traffic-spike', key: '', rows, weights, incidents: 1, since: spike.from, for: [{ text: `${count(Math.round(spike.rate))} requests a second instead of ${count(Math.round(spike.base * 10) / 10)}`, at: spike.from, until: spike.until, where: 'the HTTP log' }, ...rowsFact(rows, 'failed or waited in it')], against: [],
      chain: [{ at: spike.from, what: `Traffic rises to ${count(Math.round(spike.times))} times the usual`, part: 'root' }, { at: rows[0]?.at ?? spike.from, what: 'Requests wait or are turned away', part: 'effect' }],
      title: (t) => `Traffic rose to ${count(Math.round(spike.times))} times the usual at ${clock(spike.from)}${one === undefined ? '' : `, most of it from ${oneLine(one, 60)}`}: ${effectText(t, '')}.`,
      advice: [one === undefined ? 'See who came: clients, agents and routes of that time in the HTTP view.' : `Stop it now: block or slow ${oneLine(one, 60)} (access restrictions, a rate limit).`, 'Scale out, or let autoscale do it on the rate of requests.', 'Answer what is often asked from a cache.'],
    }];
  },
  excludes: (scene) => { const { slots } = scene.rows; const peak = Math.max(0, ...slots.map((s) => s.total)); const mean = scene.rows.total / Math.max(1, slots.length); return slots.length >= LEAST_BASE * 2 && spikeIn(scene) === undefined ? `traffic never rose for long (${percent(Math.round((peak / Math.max(mean, 0.001)) * 100))} of the mean at most in one step)` : undefined; },
};

interface Spike { readonly from: number; readonly until: number; readonly rate: number; readonly base: number; readonly times: number }

/** The busiest stretch of the window against the middle of the rest, in coarse steps. */
function spikeIn(scene: Scene): Spike | undefined {
  const { slots, slotMs } = scene.rows;
  const per = Math.max(1, Math.round(5_000 / slotMs));
  const steps: { at: number; total: number }[] = [];
  for (let i = 0; i + per <= slots.length; i += per) steps.push({ at: slots[i]?.at ?? 0, total: slots.slice(i, i + per).reduce((n, s) => n + s.total, 0) });
  const sorted = steps.map((s) => s.total).sort((a, b) => a - b);
  const base = sorted[Math.floor(sorted.length / 2)] ?? 0;
  if (steps.length < LEAST_BASE * 2 || base === 0) return undefined;
  const high = steps.filter((s) => s.total >= base * TIMES && s.total >= LEAST_RATE);
  const [first] = high, last = high.at(-1);
  if (!first || !last || high.length < 2) return undefined;
  const stepMs = per * slotMs;
  const within = steps.filter((s) => s.at >= first.at && s.at <= last.at);
  if (high.length < within.length * 0.6) return undefined;
  const mean = within.reduce((n, s) => n + s.total, 0) / within.length;
  return { from: first.at, until: last.at + stepMs, rate: (mean / stepMs) * 1_000, base: (base / stepMs) * 1_000, times: mean / base };
}
