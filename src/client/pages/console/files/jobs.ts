// Owns waiting for long work on files: asks how far it is until it has ended.
import type { Operation } from '../../../../shared/api.ts';
import { ask, diag } from '../../../agent.ts';
import { browserClock as clock } from '../../../clock.ts';

const EVERY_MS = 400;
const pause = (forMs: number, signal: AbortSignal): Promise<void> => new Promise((done) => {
  const stop = clock.after(forMs, done);
  signal.addEventListener('abort', () => { stop(); done(); }, { once: true });
});

/** Its last state. The work goes on when nobody waits any more. @throws what the agent refuses */
export async function untilEnded(id: string, signal: AbortSignal, told: (operation: Operation) => void): Promise<Operation> {
  for (;;) {
    const operation = await ask(() => diag.operation({ params: { operation: id }, signal }));
    told(operation);
    if (operation.state !== 'running') return operation;
    await pause(EVERY_MS, signal);
    signal.throwIfAborted();
  }
}
export { pause };
