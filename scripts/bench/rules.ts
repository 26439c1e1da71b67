// Owns the bench of rules: many of them tried over days of one-second history, and a hundred of them each second. Usage: [--rules N] [--days D]
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Rule } from '../../src/shared/rules.ts';
import { judgeValue } from '../../src/mitigate/rules/meter.ts';
import { replay } from '../../src/mitigate/rules/replay.ts';
import { newState, step, type RuleState } from '../../src/mitigate/rules/step.ts';
import { seeded } from '../local/seeded.ts';

const { values } = parseArgs({ options: { rules: { type: 'string', default: '10000' }, days: { type: 'string', default: '5' } } });
const DAY_SECONDS = 86_400;
const FROM = Date.UTC(2026, 10, 16);
const random = seeded(7);

/** A busy site: a level that wanders, gaps, spikes, and two hours of trouble a day. */
function column(seconds: number): Float64Array {
  const made = new Float64Array(seconds);
  let level = 40;
  for (let i = 0; i < seconds; i += 1) {
    level += (random() - 0.5) * 4 + (40 - level) * 0.01;
    const trouble = i % DAY_SECONDS < 7_200 ? 45 : 0;
    made[i] = random() < 0.01 ? NaN : Math.max(0, level + trouble + (random() < 0.002 ? 50 : 0));
  }
  return made;
}

function rule(i: number): Rule {
  return Rule.parse({
    id: `rule-${i}`, when: { type: 'metric', metric: 'site.cpu', above: 45 + (i % 55) }, do: [{ type: 'notify' }],
    forMs: [0, 15_000, 30_000, 300_000][i % 4], sharePercent: i % 3 === 0 ? 80 : 100, limits: { cooldownMs: [0, 60_000, 300_000][i % 3], perHour: 1 + (i % 10) },
  });
}

const count = Number(values.rules);
const past = column(Number(values.days) * DAY_SECONDS);
const rules = Array.from({ length: count }, (_, i) => rule(i));
globalThis.gc?.();
let peakBytes = 0, fired = 0;
const began = performance.now();
for (const one of rules) {
  if (one.when.type !== 'metric') continue;
  fired += replay(one, { from: FROM, stepMs: 1_000, values: past }, one.when).firedCount;
  peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
}
const tookS = (performance.now() - began) / 1_000;
process.stdout.write(`trial: ${count} rules over ${values.days} days of seconds, ${fired} firings: ${tookS.toFixed(1)} s (at most 60 s for 10,000 over 5 days), ${((count * past.length) / tookS / 1e6).toFixed(0)} million steps a second, RSS at most ${(peakBytes / 2 ** 20).toFixed(0)} MiB\n`);

/** What a hundred rules cost of each second. */
const hundred = rules.slice(0, 100);
const states = new Map<string, RuleState>(hundred.map((one) => [one.id, newState({ at: FROM, monotonicMs: 0, run: 'bench' })]));
const before = process.cpuUsage();
const SECONDS = 2_000;
for (let second = 0; second < SECONDS; second += 1) {
  const value = past[second] as number;
  for (const one of hundred) {
    const measured = Number.isNaN(value) || one.when.type !== 'metric' ? [] : [{ subject: '', value, verdict: judgeValue(one.when, value) }];
    states.set(one.id, step(one, states.get(one.id) as RuleState, measured, { now: { at: FROM + second * 1_000, monotonicMs: second * 1_000, run: 'bench' }, elsewhere: [], acting: false }).state);
  }
}
const { user, system } = process.cpuUsage(before);
process.stdout.write(`live: 100 rules a second take ${((user + system) / 1_000 / SECONDS).toFixed(3)} ms of it, ${((user + system) / 10_000 / SECONDS).toFixed(3)} % of a core (at most 1 %)\n`);
