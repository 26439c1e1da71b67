// Owns the way of a followed log into a live socket: frames as they are, the rest as messages, and when there is room again.
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { ToPage } from '../shared/live.ts';
import type { LogBatch, LogSink } from '../observe/observe.ts';

/** What the followed logs of one socket share: which channels it has, and who waits for room in it. */
export class LogSinks {
  readonly #ws: WebSocket;
  readonly #channels = new Set<number>();
  readonly #waiting = new Set<() => void>();

  constructor(ws: WebSocket, socket: Socket) {
    this.#ws = ws;
    socket.on('drain', () => { for (const call of this.#waiting) call(); });
  }

  /** The sink of one subscription, given back when its signal aborts. */
  open(id: string, signal: AbortSignal): LogSink {
    const ws = this.#ws;
    const mine = new Set<number>();
    const calls = new Set<() => void>();
    signal.addEventListener('abort', () => {
      for (const channel of mine) this.#channels.delete(channel);
      for (const call of calls) this.#waiting.delete(call);
    }, { once: true });
    const isOpen = (): boolean => !signal.aborted && ws.readyState === ws.OPEN;
    return {
      frame: (bytes) => { if (isOpen()) ws.send(bytes, BINARY); },
      batch: (batch) => { if (isOpen()) ws.send(JSON.stringify(messageOf(id, batch))); },
      get waitingBytes() { return ws.bufferedAmount; },
      onRoom: (call) => { calls.add(call); this.#waiting.add(call); },
      claim: (channel) => {
        if (this.#channels.has(channel)) return false;
        this.#channels.add(channel);
        mine.add(channel);
        return true;
      },
    };
  }
}

const BINARY = { binary: true };

function messageOf(id: string, batch: LogBatch): ToPage {
  return { type: 'log', id, ...batch, items: [...batch.items] };
}
