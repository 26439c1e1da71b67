// Owns how a dump comes to the page.
import type { DumpRead } from '../../../../shared/dump-read.ts';
import type { FileName } from '../../../address.ts';
import { diag } from '../../../agent.ts';
import { useLook, type Look } from '../use-look.ts';

export function useDump(session: string, { instance, name }: FileName): Look<DumpRead> {
  const params = { session, instance, name };
  return useLook(`${session}/${instance}/${name}`, { title: 'The dump cannot be read', code: 'DUMP_UNREADABLE', begin: (signal) => diag.readDump({ params, signal }), get: (signal) => diag.dump({ params, signal }) });
}
