// Owns which binary frames of a live socket belong to which followed log: what page and CLI keep of one connection.
import { channelOf, readFrame } from './log-frame.ts';
import type { ToPage } from './live.ts';

type LogMessage = Extract<ToPage, { type: 'log' }>;
interface Known { readonly id: string; readonly source: string; passed: number }

/** Channels of one connection at once: each subscription has one, and for a while one for what it missed. */
const MAX_CHANNELS = 256;

export class LogChannels {
  readonly #known = new Map<number, Known>();

  /** A message of a followed log came as text: it may say which frames are its own. */
  heard(message: LogMessage, source: string): void {
    if (message.channel === undefined) return;
    this.#known.delete(message.channel);
    this.#known.set(message.channel, { id: message.id, source, passed: message.passedBefore ?? 0 });
    for (const oldest of this.#known.keys()) { if (this.#known.size <= MAX_CHANNELS) break; this.#known.delete(oldest); }
  }

  /** A frame as the message it stands for; undefined when nobody here asked for it, or it cannot be read. `near`: an instant close to its lines'. */
  read(bytes: Uint8Array, near: number): LogMessage | undefined {
    const channel = channelOf(bytes);
    const known = channel === undefined ? undefined : this.#known.get(channel);
    const frame = known === undefined ? undefined : readFrame(bytes, known.source, near);
    if (known === undefined || frame === undefined) return undefined;
    const passed = frame.passed - known.passed;
    known.passed = frame.passed;
    return { type: 'log', id: known.id, items: [...frame.items], dropped: 0, passed, cursor: frame.cursor };
  }

  /** A subscription ended, or another took its name. */
  leave(id: string): void {
    for (const [channel, known] of this.#known) if (known.id === id) this.#known.delete(channel);
  }

  /** Another connection: nothing is known of it. */
  clear(): void { this.#known.clear(); }
}
