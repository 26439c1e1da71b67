// Owns a thread of the scan: pieces in, what each held out, the figures of all of them at the end.
import { parentPort, workerData } from 'node:worker_threads';
import { transferables } from '../figures/figures.ts';
import type { FromThread, Piece, PieceRead, ThreadGiven, ToThread } from './contract.ts';
import { PieceReader, notRead } from './pieces.ts';

/** Serves until it is told to finish; ended from outside when the scan is given up. */
export function serveScan(): void {
  const port = parentPort;
  if (port === null) return;
  const { inputs, window } = workerData as ThreadGiven;
  const reader = new PieceReader(inputs, window, (readBytes) => port.postMessage({ readBytes } satisfies FromThread));
  port.on('message', (said: ToThread) => {
    if ('piece' in said) { port.postMessage({ id: said.id, read: readOrSay(reader, said.piece) } satisfies FromThread); return; }
    const state = reader.figures.state();
    port.postMessage({ state } satisfies FromThread, transferables(state));
    port.close();
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
