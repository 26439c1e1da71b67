// Owns `diag bundle`: the zip of one session, or of the site's logs, on the user's disk.
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import { LogProviderId } from '../../shared/log-bundle.ts';
import { SessionId } from '../../shared/model.ts';
import { address } from '../../shared/connect.ts';
import { bytes } from '../../shared/units.ts';
import { download } from '../download.ts';
import { list, type Remote } from '../options.ts';
import { print, printJson, safeLine } from '../print.ts';
import { withAgent } from '../reach.ts';

export interface BundleOptions extends Remote { readonly out?: string; readonly logs?: true | string; readonly from?: number; readonly to?: number; readonly maxMb?: number }

export async function bundle(id: string | undefined, options: BundleOptions): Promise<void> {
  const [name, addressAt] = options.logs === undefined ? ofSession(id, options) : ofLogs(id, options);
  await withAgent(options, async (reached) => {
    const wanted = resolve(options.out ?? `${name}.zip`);
    const file = await isFolder(wanted) ? join(wanted, `${name}.zip`) : wanted;
    const size = await download(reached, addressAt(reached.url), file);
    if (options.json) printJson({ file, bytes: size });
    else print(`${safeLine(file)}  ${bytes(size)}`);
  });
}

type Wanted = readonly [name: string, address: (url: string) => string];

function ofSession(id: string | undefined, { from, to, maxMb }: BundleOptions): Wanted {
  if (id === undefined) throw new DiagError('BAD_INPUT', { why: 'a session id is missing; --logs takes the logs of the site instead' });
  if (from !== undefined || to !== undefined || maxMb !== undefined) throw new DiagError('BAD_INPUT', { why: '--from, --to and --max-mb are for --logs' });
  const parsed = SessionId.safeParse(id);
  if (!parsed.success) throw new DiagError('BAD_INPUT', { why: `${id} is not a session id such as 261121_0214071234` });
  const session = parsed.data;
  return [session, (url) => address(url, 'sessionBundle', { session })];
}

function ofLogs(id: string | undefined, { logs, from, to, maxMb }: BundleOptions): Wanted {
  if (id !== undefined) throw new DiagError('BAD_INPUT', { why: 'either a session or --logs; with providers write --logs=http-log,deployments' });
  const providers = typeof logs === 'string' ? list(logs).map((one) => {
    const parsed = LogProviderId.safeParse(one);
    if (!parsed.success) throw new DiagError('BAD_INPUT', { why: `${one} is not one of ${LogProviderId.options.join(', ')}` });
    return parsed.data;
  }) : undefined;
  return ['logs', (url) => address(url, 'logBundle', {}, { providers, from, to, maxBytes: maxMb === undefined ? undefined : maxMb * 1024 * 1024 })];
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
