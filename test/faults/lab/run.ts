// Owns one fault from its start to its outcome, and what is missing on this machine for it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from './fault.ts';
import { runFiles } from './files-bench.ts';
import { runLocal } from './local-bench.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import { diagnosed, type Recording } from './recording.ts';

export interface Seen { readonly outcome: Outcome; readonly recording: Recording; readonly tookMs: number }

/** The programs that are not there. */
export function lacking(fault: Fault): readonly string[] {
  const folders = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`.split(':');
  return (fault.needs ?? []).filter((program) => (program === 'memory-group' ? !existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes') || process.getuid?.() !== 0 : program === 'root' ? process.getuid?.() !== 0 : !folders.some((folder) => existsSync(join(folder, program)))));
}

export async function runFault(fault: Fault): Promise<Seen> {
  const { recording, tookMs } = fault.front === 'local' ? await runLocal(fault) : await runFiles(fault);
  return { recording, tookMs, outcome: outcomeOf(fault, await diagnosed(recording)) };
}
