// Owns the way of keys into a pseudo-terminal: bounded, in order, never waiting inside a call. node-pty's own write freezes the whole agent while a program does not read: libuv writes to a terminal's master in a loop.
import { writeSync } from 'node:fs';
import { systemClock } from '../clock.ts';
import { MAX_INPUT_BYTES } from './shell.ts';

/** Between two tries while nobody reads. */
const AGAIN_MS = 10;
/** One write: the system takes less at once anyway. */
const PIECE_BYTES = 4_096;

export class TerminalInput {
  readonly #fd: number;
  readonly #closed: () => boolean;
  readonly #over: AbortSignal;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #trying = false;

  /** `closed` is asked right before each write: the number may be another file's after. */
  constructor(fd: number, closed: () => boolean, over: AbortSignal) {
    this.#fd = fd;
    this.#closed = closed;
    this.#over = over;
  }

  get waitingBytes(): number { return this.#bytes; }

  /** Answers how many bytes found no room. */
  write(bytes: Buffer): number {
    const taken = bytes.subarray(0, Math.max(0, MAX_INPUT_BYTES - this.#bytes));
    if (taken.length > 0) {
      this.#waiting.push(taken);
      this.#bytes += taken.length;
      void this.#empty();
    }
    return bytes.length - taken.length;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }

  async #empty(): Promise<void> {
    if (this.#trying) return;
    this.#trying = true;
    try {
      while (this.#waiting.length > 0 && !this.#closed()) if (!this.#step()) await systemClock.wait(AGAIN_MS, this.#over);
    } catch (error) {
      if (!this.#over.aborted && !isGone(error)) throw error;
      this.clear();
    } finally {
      this.#trying = false;
    }
  }

  /** False when the terminal takes nothing now. @throws what the system says */
  #step(): boolean {
    const first = this.#waiting[0] as Buffer;
    try {
      const written = writeSync(this.#fd, first, 0, Math.min(first.length, PIECE_BYTES));
      this.#bytes -= written;
      if (written === first.length) this.#waiting.shift(); else this.#waiting[0] = first.subarray(written);
      return written > 0;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return false;
      throw error;
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EIO' || error.code === 'EBADF');
}
