// Owns one crash of the shop under test: the slow request in flight ends with the worker, as 502.3.12030, and the next worker answers.
import assert from 'node:assert/strict';
import type { System } from './system.ts';
import { waitFor } from './wait.ts';

export async function crashOf(system: System): Promise<void> {
  const pid = await waitFor('a worker that answers', async () => ((await system.get('/cart')) === 200 ? system.pid() : undefined));
  const inFlight = system.get('/slow?ms=20000');
  await waitFor('the slow request to be in flight', async () => (await system.diag.processes()).processes.length > 0);
  const applied = system.get('/cart/apply', { code: 'GIFT50' });
  assert.deepEqual([await inFlight, await applied], [502, 502]);
  await waitFor(`worker ${pid} to be replaced`, () => system.pid() !== undefined && system.pid() !== pid);
}
