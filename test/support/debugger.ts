// Owns the question who traces a process, asked of the kernel.
import { readFile } from 'node:fs/promises';
import { waitFor } from './wait.ts';

/** Waits for a debugger, ours or another's, to hold this process, and gives its pid. */
export async function debuggerOf(pid: number): Promise<number> {
  return await waitFor('the debugger to attach', async () => {
    const tracer = Number(/^TracerPid:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
    return tracer > 0 ? tracer : undefined;
  });
}
