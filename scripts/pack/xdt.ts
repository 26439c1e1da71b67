// Owns the applicationHost.xdt of a package: the one of this repository, with the preload's part only where the package brings a preload.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lintXdt } from '../../src/agent/doctor/xdt.ts';

const END = '</configuration>';

/** A variable that names a file which is not there ends every Node app at its start: without a preload the main site is left alone. @throws Error when the result would take the site down */
export async function xdtWith(root: string, preload: boolean): Promise<string> {
  const mount = await readFile(join(root, 'applicationHost.xdt'), 'utf8');
  const part = preload ? await readFile(join(import.meta.dirname, 'files/preload.xdt'), 'utf8') : '';
  const whole = mount.replace(END, `${part}${END}`);
  const [fault] = lintXdt(whole);
  if (fault) throw new Error(`applicationHost.xdt would take the site down: line ${fault.line}: ${fault.why}`);
  return whole;
}
