// Owns the memory group of the kernel that an app of the lab runs in: the worker enters it by its own start line, so that each that follows does too.
import { makeMemoryGroup } from '../../support/memory-group.ts';
import type { LabSite, LocalFault } from './fault.ts';

const MIB = 2 ** 20;

/** What a fault needs beside `before`. */
export const IN_GROUP = {
  start: 'echo $$ > "$MEMORY_GROUP/cgroup.procs"; exec node server.js',
  env: (lab) => ({ MEMORY_GROUP: lab.value('group') }),
} as const satisfies Pick<LocalFault, 'start' | 'env'>;

/** @throws where the kernel lets nobody make a group: `needs: ['memory-group']` says so before */
export async function boundMemory(lab: LabSite, mib: number): Promise<() => Promise<void>> {
  const group = makeMemoryGroup('fault');
  if (!group) throw new Error('no memory group can be made here');
  group.limit(mib * MIB);
  lab.set('group', group.path);
  return () => group.remove();
}
