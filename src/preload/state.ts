// Owns the file that says how the process stood a few seconds ago: one write in place, of fixed size, for the ends at which nothing more can be written.
import { close, closeSync, open, rmSync, write } from 'node:fs';
import type { AppState } from '../shared/app-link.ts';
import { guarded } from './guarded.ts';

/** One size, so that a shorter state leaves nothing of the longer one before it. */
const STATE_BYTES = 4_096;
const MODE = 0o640;

export class StateFile {
  readonly #path: string;
  #file: number | undefined;
  #busy = false;
  #over = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Never waited for; one that is not written yet when the next one comes is the next one's loss. */
  write(state: AppState): void {
    if (this.#busy || this.#over) return;
    this.#busy = true;
    if (this.#file === undefined) {
      open(this.#path, 'w', MODE, guarded((error: Error | null, file: number) => {
        this.#busy = false;
        if (error !== null) { this.#over = true; return; }     // a folder that takes no file: there is no state then
        this.#file = file;
        this.write(state);
      }));
      return;
    }
    let text = JSON.stringify(state);
    if (Buffer.byteLength(text) > STATE_BYTES) text = JSON.stringify({ ...state, oldest: [], failure: undefined });
    const bytes = Buffer.alloc(STATE_BYTES, ' ');
    bytes.write(text, 'utf8');
    write(this.#file, bytes, 0, STATE_BYTES, 0, guarded(() => { this.#busy = false; }));
  }

  /** Nobody listens: an old state would lie. */
  stop(): void {
    if (this.#file !== undefined) close(this.#file, () => undefined);
    this.#file = undefined;
  }

  /** At an end that is told by other means. */
  remove(): void {
    this.#over = true;
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#path, { force: true });
  }
}
