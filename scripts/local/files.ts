// Owns how the local App Service writes a whole file: beside its place first, then renamed into it.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

let written = 0;

/** A name of its own for each write, so that two writers never share a half file. */
function besides(path: string): string {
  written += 1;
  return `${path}.${process.pid}-${written}.tmp`;
}

export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const beside = besides(path);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(beside, content);
  await rename(beside, path);
}

/** The same before anything else may happen: a worker is on record before its first instruction can go wrong. */
export function writeWholeNow(path: string, content: string): void {
  const beside = besides(path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(beside, content);
  renameSync(beside, path);
}

/** Text for an XML element or attribute. Characters XML 1.0 cannot hold, escaped or not, become U+FFFD; so do lone surrogates when the text is written as UTF-8. */
export function xml(text: string): string {
  return text
    // eslint-disable-next-line no-control-regex -- controls are exactly what XML 1.0 forbids
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll('\r', '&#13;');
}
