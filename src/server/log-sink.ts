// Owns the way of a followed log into a live socket: frames as they are, the rest as messages, and when there is room again.
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { ToPage } from '../shared/live.ts';
import type { LogBatch, LogSink } from '../observe/observe.ts';

/** What the followed logs of one socket share: which channels it has, and who waits for room in it. */
export class LogSinks {
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #channels = new Set<number>();
  readonly #waiting = new Set<() => void>();

  constructor(ws: WebSocket, socket: Socket) {
    this.#ws = ws;
    this.#socket = socket;
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
      frame: (bytes, sent) => {
        if (!isOpen()) return;
        if (bytes.length <= ONE_WRITE_BYTES) { this.#socket.write(wired(bytes)); sent?.(); }
        // After an error nobody knows what the system still reads of it: then it is not used again.
        else ws.send(bytes, BINARY, sent && ((error) => { if (!(error instanceof Error)) sent(); }));
      },
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
/** Up to here a frame is copied behind its header, once for all, and goes out in one write: what a line at a time costs is the calls. */
const ONE_WRITE_BYTES = 16 * 1_024;
/** The last frame and its wire: all who get it get it one after the other. */
let last: { readonly bytes: Buffer; readonly wire: Buffer } | undefined;

/** The frame as it stands on the wire: one whole binary message of RFC 6455, unmasked as a server's are. Between two messages of ws,
 *  which writes each of its own in one go as long as nothing is compressed (live.ts). */
function wired(bytes: Buffer): Buffer {
  if (last?.bytes === bytes) return last.wire;
  const headBytes = bytes.length < 126 ? 2 : 4;
  const wire = Buffer.allocUnsafe(headBytes + bytes.length);
  wire[0] = 0x82;
  if (headBytes === 2) wire[1] = bytes.length;
  else { wire[1] = 126; wire.writeUInt16BE(bytes.length, 2); }
  bytes.copy(wire, headBytes);
  last = { bytes, wire };
  return wire;
}

function messageOf(id: string, batch: LogBatch): ToPage {
  return { type: 'log', id, ...batch, items: [...batch.items] };
}
