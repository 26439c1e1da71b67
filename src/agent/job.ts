// Owns a long job of the agent as an operation: its state for those who ask, its progress for those who follow, its end for those who cancel.
import { randomBytes } from 'node:crypto';
import type { Operation } from '../shared/api.ts';
import { sayError } from '../shared/errors.ts';
import type { Parts } from './agent.ts';

export interface JobWork {
  readonly kind: Operation['kind'];
  readonly title: string;
  /** Its last words become the note of the ended operation. Throws to fail. */
  run(signal: AbortSignal, note: (text: string, fraction?: number) => void): Promise<string>;
}

/** Begins it; how it ends is the operation's state. */
export function startJob({ operations, operationFeed, platform, mask }: Pick<Parts, 'operations' | 'operationFeed' | 'platform'> & { mask(text: string): string }, { kind, title, run }: JobWork): Operation {
  const ending = new AbortController();
  let operation: Operation = { id: `${kind}-${randomBytes(6).toString('hex')}`, kind, title, state: 'running', startedAt: platform.clock.now() };
  const set = (patch: Partial<Operation>): void => {
    if (operation.state !== 'running') return;
    operation = { ...operation, ...patch };
    operationFeed.publish(operation);
  };
  const stop = (): void => { ending.abort(); };
  operations.add({ operation: () => operation, cancel: stop, enough: stop });
  operationFeed.publish(operation);
  void run(ending.signal, (note, fraction) => { set({ note: mask(note), ...(fraction === undefined ? {} : { fraction }) }); }).then(
    (note) => { set({ state: 'done', note: mask(note), fraction: 1 }); },
    (error: unknown) => { set({ state: ending.signal.aborted ? 'cancelled' : 'failed', note: mask(sayError(error)).slice(0, 1_000) }); },
  );
  return operation;
}
