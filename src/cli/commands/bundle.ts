// Owns `diag bundle`: the zip of one session on the user's disk.
import { resolve } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import { SessionId } from '../../shared/model.ts';
import { address } from '../../shared/connect.ts';
import { bytes } from '../../shared/units.ts';
import { download } from '../download.ts';
import type { Remote } from '../options.ts';
import { print, printJson } from '../print.ts';
import { withAgent } from '../reach.ts';

export async function bundle(id: string, options: Remote & { out?: string }): Promise<void> {
  const parsed = SessionId.safeParse(id);
  if (!parsed.success) throw new DiagError('BAD_INPUT', { why: `${id} is not a session id (yyMMdd_HHmmssffff)` });
  await withAgent(options, async (reached) => {
    const file = resolve(options.out ?? `${parsed.data}.zip`);
    const size = await download(reached, address(reached.url, 'sessionBundle', { session: parsed.data }), file);
    if (options.json) printJson({ file, bytes: size });
    else print(`${file}  ${bytes(size)}`);
  });
}
