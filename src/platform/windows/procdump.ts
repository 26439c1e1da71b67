// Owns the worker's own ProcDump: where it lies and how it is asked.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../identity.ts';
import type { DumpKind } from '../platform.ts';

const FLAGS: Readonly<Record<DumpKind, string>> = { full: '-ma', 'mini-plus': '-mp', mini: '-mm' };

export interface Procdump {
  readonly name: string;
  readonly path: string;
  args(pid: number, kind: DumpKind, file: string): readonly string[];
}

/** The one for targets of this bitness; undefined where the machine has none, as outside of App Service. */
export function findProcdump(env: Env, bits: 32 | 64): Procdump | undefined {
  const name = bits === 32 ? 'procdump.exe' : 'procdump64.exe';
  // Older workers have the system on D:.
  const drives = [env['SystemDrive'] ?? 'C:', 'D:'];
  const path = drives.map((drive) => join(`${drive}\\`, 'devtools', 'sysinternals', name)).find((one) => existsSync(one));
  if (path === undefined) return undefined;
  return { name, path, args: (pid, kind, file) => ['-accepteula', FLAGS[kind], String(pid), file] };
}
