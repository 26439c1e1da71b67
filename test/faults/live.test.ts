// Owns the lab's short live run: a handful of faults and controls end to end, with real processes and fronts.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { faults } from './index.ts';
import { lacking, runFault } from './lab/run.ts';

const limitMs = 120_000;
const pending: Promise<unknown>[] = [];
after(() => Promise.all(pending));

// They wait more than they compute.
describe('the lab, live', { concurrency: 2 }, () => {
  for (const fault of faults.filter((f) => f.fast)) {
    const lacks = lacking(fault);
    test(`${fault.name}: ${fault.about}`, { timeout: limitMs, skip: lacks.length > 0 && process.env['CI'] !== 'true' ? `${lacks.join(', ')} is not here` : false }, async () => {
      const run = runFault(fault);
      pending.push(run.catch(() => undefined));
      const { outcome, tookMs } = await run;
      assert.ok(outcome.right, `${outcome.first} instead of ${outcome.cause}: ${outcome.title}`);
      assert.ok(tookMs < 60_000, `from click to cause it took ${tookMs} ms`);
    });
  }
});
