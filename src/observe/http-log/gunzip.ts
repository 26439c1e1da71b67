// Owns the unpacking of gzip as it comes: several members in a row, and a file that is torn gives all that came before the tear.
import { createGunzip } from 'node:zlib';

export interface GzipEnd { /** Why it ended before its end. */ torn?: string }

const OUT_BYTES = 128 * 1024;

/** The text of the gzip bytes of `input`. It never throws for what the bytes are: `end.torn` says so after the last piece. */
export async function* gunzip(input: AsyncIterable<Uint8Array>, end: GzipEnd, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stream = createGunzip({ chunkSize: OUT_BYTES });
  let failure: Error | undefined;
  stream.on('error', (error) => { failure = error; });
  try {
    for await (const piece of input) {
      signal.throwIfAborted();
      // The piece is only valid until the next one, and the stream reads it later.
      yield* drain(stream, (taken) => { stream.write(Uint8Array.prototype.slice.call(piece), taken); }, () => failure);
      if (failure !== undefined) break;
    }
    // Whatever came is out already: an error of the end loses nothing.
    if (failure === undefined) yield* drain(stream, () => { stream.end(); }, () => failure);
    if (failure !== undefined) end.torn = wordsOf(failure);
  } finally {
    stream.destroy();
  }
}

/** Does `begin`, and gives what comes out until it was taken in, or the stream ended. */
async function* drain(stream: ReturnType<typeof createGunzip>, begin: (taken: () => void) => void, failed: () => Error | undefined): AsyncGenerator<Uint8Array> {
  let taken = false;
  let wake = (): void => undefined;
  const note = (): void => { wake(); };
  stream.on('readable', note).on('end', note).on('error', note);
  try {
    begin(() => { taken = true; wake(); });
    for (;;) {
      const out = stream.read() as Buffer | null;
      if (out !== null) { yield out; continue; }
      if (taken || failed() !== undefined || stream.readableEnded) return;
      await new Promise<void>((done) => { wake = done; if (taken || failed() !== undefined || stream.readableLength > 0) done(); });
    }
  } finally {
    stream.off('readable', note).off('end', note).off('error', note);
  }
}

function wordsOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'Z_BUF_ERROR') return 'it ends in the middle of the compressed text';
  return code === 'Z_DATA_ERROR' ? `its compressed text is damaged (${error.message})` : error.message;
}

