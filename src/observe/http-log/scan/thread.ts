// Owns a thread of the scan: takes pieces as long as there are any, tells what each held, and at the end the figures of all of them.
import { parentPort } from 'node:worker_threads';
import { transferables } from '../figures/transferables.ts';
import type { FromThread, Piece, PieceRead, ThreadGiven } from './contract.ts';
import { PieceReader, notRead, untaken } from './pieces.ts';

/** Waits for what there is to read; ended from outside when the scan is given up. */
export function serveScan(): void {
  const port = parentPort;
  if (port === null) return;
  port.once('message', (given: ThreadGiven) => {
    const say = (what: FromThread): void => { port.postMessage(what); };
    const reader = new PieceReader(given.inputs, given.window, (readBytes) => { say({ readBytes }); });
    for (const [id, piece] of untaken(given)) say({ id, read: readOrSay(reader, piece) });
    const state = reader.figures.state();
    port.postMessage({ state } satisfies FromThread, transferables(state));
  });
}

/** A file that cannot be read ends itself, not the scan. */
function readOrSay(reader: PieceReader, piece: Piece): PieceRead {
  try {
    return reader.readNow(piece);
  } catch (error) {
    return notRead(error);
  }
}
