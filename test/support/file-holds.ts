// Owns the question whether a file holds a text, however large the file is.
import { createReadStream } from 'node:fs';

export async function holds(file: string, text: string): Promise<boolean> {
  let tail = '';
  for await (const chunk of createReadStream(file, { encoding: 'latin1', highWaterMark: 1 << 20 }) as AsyncIterable<string>) {
    if ((tail + chunk).includes(text)) return true;
    tail = chunk.slice(-text.length);
  }
  return false;
}
