// Owns subscribing to Node's diagnostics channels, where this Node has them, and letting go again.
import { channel } from 'node:diagnostics_channel';
import { guardedMessage } from './guarded.ts';

export type Hear = (message: unknown) => void;

/** Subscribes at once; the answer lets go. Channels are held: older Nodes lose the subscribers of a channel that nobody holds. */
export function listen(hearers: Readonly<Record<string, Hear>>): () => void {
  return listenBare(Object.fromEntries(Object.entries(hearers).map(([name, hear]) => [name, guardedMessage(hear)])));
}

/** Of hearers that guard themselves. */
export function listenBare(hearers: Readonly<Record<string, Hear>>): () => void {
  const kept = Object.entries(hearers).map(([name, hear]) => ({ on: channel(name), hear }));
  for (const { on, hear } of kept) on.subscribe(hear);
  return () => { for (const { on, hear } of kept) on.unsubscribe(hear); };
}
