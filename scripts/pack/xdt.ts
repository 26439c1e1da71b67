// Owns the transforms of a package: the one that is shipped, which leaves the main site alone, and the one that install.cmd puts in its place, with the preload.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lintXdt } from '../../src/agent/doctor/xdt.ts';

const END = '</configuration>';

/**
 * What names a file that is not there ends every Node app at its start, and both sites may start anew at any moment.
 * So what is unpacked names nothing, and what names something comes after the file. @throws Error when a result would take the site down
 */
export async function xdtOf(root: string): Promise<{ readonly shipped: string; readonly installed: string }> {
  const shipped = await readFile(join(root, 'applicationHost.xdt'), 'utf8');
  const installed = shipped.replace(END, `${await readFile(join(import.meta.dirname, 'files/preload.xdt'), 'utf8')}${END}`);
  for (const text of [shipped, installed]) {
    const [fault] = lintXdt(text);
    if (fault) throw new Error(`applicationHost.xdt would take the site down: line ${fault.line}: ${fault.why}`);
  }
  return { shipped, installed };
}
