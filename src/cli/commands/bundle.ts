// Owns `diag bundle`: the zip of one session on the user's disk.
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import { SessionId } from '../../shared/model.ts';
import { address } from '../../shared/connect.ts';
import { bytes } from '../../shared/units.ts';
import { download } from '../download.ts';
import type { Remote } from '../options.ts';
import { print, printJson, safeLine } from '../print.ts';
import { withAgent } from '../reach.ts';

export async function bundle(id: string, options: Remote & { out?: string }): Promise<void> {
  const parsed = SessionId.safeParse(id);
  if (!parsed.success) throw new DiagError('BAD_INPUT', { why: `${id} is not a session id such as 261121_0214071234` });
  const session = parsed.data;
  await withAgent(options, async (reached) => {
    const wanted = resolve(options.out ?? `${session}.zip`);
    const file = await isFolder(wanted) ? join(wanted, `${session}.zip`) : wanted;
    const size = await download(reached, address(reached.url, 'sessionBundle', { session }), file);
    if (options.json) printJson({ file, bytes: size });
    else print(`${safeLine(file)}  ${bytes(size)}`);
  });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
