// Owns an answer to a question of the agent: what is said and sent over its connection, no faster than the agent takes it.
import type { Socket } from 'node:net';
import type { AppAnswer } from '../shared/app-link.ts';
import { after } from './time.ts';

const RAW_FRAME = 0x8000_0000;
const PIECE_BYTES = 256 * 1_024;
/** An agent that takes nothing for so long has gone. */
const TAKES_NOTHING_MS = 60_000;

export class Gone extends Error {}

export function frameOf(frame: object): Buffer {
  const json = JSON.stringify(frame);
  const size = Buffer.byteLength(json);
  const bytes = Buffer.allocUnsafe(size + 4);
  bytes.writeUInt32LE(size, 0);
  bytes.write(json, 4, 'utf8');
  return bytes;
}

export class Answer {
  readonly #socket: Socket;
  #sizeBytes = 0;
  #begun = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get isGone(): boolean { return this.#socket.destroyed; }

  #say(answer: Omit<AppAnswer, 'type'>): void {
    if (!this.isGone) this.#socket.write(frameOf({ type: 'answer', ...answer }));
  }

  begin(): void {
    this.#begun = true;
    this.#say({ state: 'begun' });
  }

  done(): void {
    this.#say({ state: 'done', sizeBytes: this.#sizeBytes });
    this.#socket.end();
  }

  failed(because: string): void {
    this.#say({ state: this.#begun ? 'failed' : 'refused', because: because.slice(0, 300) });
    this.#socket.end();
  }

  /** All of it, or rejected when the agent has gone. */
  async send(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length; from += PIECE_BYTES) await this.#piece(bytes.subarray(from, from + PIECE_BYTES));
  }

  async #piece(piece: Buffer): Promise<void> {
    if (this.isGone) throw new Gone('the agent has gone');
    const head = Buffer.allocUnsafe(4);
    head.writeUInt32LE((RAW_FRAME | piece.length) >>> 0, 0);
    this.#socket.write(head);
    this.#sizeBytes += piece.length;
    if (this.#socket.write(piece)) return;
    await new Promise<void>((resolve) => {
      const socket = this.#socket;
      const over = (): void => { socket.off('drain', over).off('close', over); resolve(); };
      socket.on('drain', over).on('close', over);
      after(TAKES_NOTHING_MS, () => { if (socket.writableLength > 0 && socket.listeners('drain').includes(over)) socket.destroy(); });
    });
  }

  /** Waits, or until the agent has gone. @throws Gone */
  async wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.once('close', resolve);
      after(ms, () => { this.#socket.off('close', resolve); resolve(); });
    });
    if (this.isGone) throw new Gone('the agent has gone');
  }
}
