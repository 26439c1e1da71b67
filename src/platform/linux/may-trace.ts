// Owns whether we may look into other processes and stop them: a program is there, and the kernel lets us.
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Offer } from '../../shared/model.ts';
import type { Env } from '../identity.ts';
import { hasCapability } from '../parse/proc-text.ts';
import { readText } from './read.ts';

/** include/uapi/linux/capability.h */
const CAP_SYS_PTRACE = 19;

/** The absolute path of a program on PATH, undefined when it is not installed. */
export function findProgram(name: string, env: Env): string | undefined {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue;                       // "." on PATH would run what lies in a log folder
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'ENOTDIR') throw error;
    }
  }
  return undefined;
}

/** May we attach to other processes here and now. */
export function traceRule(): Offer {
  return traceOffer(readText('/proc/sys/kernel/yama/ptrace_scope'), hasCapability(readText('/proc/self/status') ?? '', CAP_SYS_PTRACE));
}

/** The kernel's rule on attaching (Documentation/admin-guide/LSM/Yama.rst); without Yama, processes of the same user may attach. */
export function traceOffer(scope: string | undefined, capable: boolean): Offer {
  const rule = Number(scope?.trim() ?? 0);
  if (rule === 3) return { yes: false, because: 'the kernel forbids attaching to any process (kernel.yama.ptrace_scope = 3) until it starts anew with a lower value' };
  if (rule >= 1 && !capable) {
    return { yes: false, because: `the kernel lets us attach only to our own children (kernel.yama.ptrace_scope = ${rule}) and CAP_SYS_PTRACE is missing; start the container with --cap-add=SYS_PTRACE or set the value to 0` };
  }
  return { yes: true };
}
