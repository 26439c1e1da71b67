// Owns the numbers of the host: processor and memory of the machine, or of the container where that has a smaller limit.
import { release } from 'node:os';
import { memoryGroups, memoryRow, parseCpu, parseLimit, parseMemory, parseOsRelease, type MemoryGroup } from '../parse/proc-host.ts';
import type { Disk } from '../disk.ts';
import type { HostUsage } from '../platform.ts';
import { readText } from './read.ts';
import { MS_PER_TICK } from './table.ts';

/** Instant of boot. The kernel gives it in whole seconds, so every start time is up to a second early, but the same after a restart of ours. @throws when /proc/stat is not there */
export function bootAt(): number {
  const seconds = parseCpu(readText('/proc/stat') ?? '')?.bootAtSeconds;
  if (seconds === undefined) throw new Error('/proc/stat does not say when the machine started');
  return seconds * 1_000;
}

/** What the whole seconds of bootAt() leave out, by how long the machine has run; 0 where the two do not fit together (a container's own uptime). */
export function startsEarlyMs(boot: number, now: number): number {
  const upMs = Number.parseFloat(readText('/proc/uptime') ?? '') * 1_000;
  const early = Math.round(now - upMs - boot);
  return early > 0 && early < 1_000 ? early : 0;
}

/** "Debian GNU/Linux 12 (bookworm), Linux 6.18.44". */
export function osName(): string {
  const name = parseOsRelease(readText('/etc/os-release') ?? '');
  return name === undefined ? `Linux ${release()}` : `${name}, Linux ${release()}`;
}

/** The groups whose files are really there. */
export function ownMemoryGroups(): MemoryGroup[] {
  const groups = memoryGroups(readText('/proc/self/cgroup') ?? '', readText('/proc/self/mountinfo') ?? '');
  return groups.filter((group) => readText(group.limit) !== undefined);
}

export function readHost(groups: readonly MemoryGroup[], disk: Disk): HostUsage {
  const cpu = parseCpu(readText('/proc/stat') ?? '');
  return {
    cores: cpu?.cores ?? 1,
    ...(cpu === undefined ? {} : { busyMs: cpu.busy * MS_PER_TICK, totalMs: cpu.total * MS_PER_TICK }),
    ...readMemory(groups),
    ...disk,
  };
}

function readMemory(groups: readonly MemoryGroup[]): Pick<HostUsage, 'memoryUsedBytes' | 'memoryTotalBytes'> {
  const machine = parseMemory(readText('/proc/meminfo') ?? '');
  let tightest = machine === undefined ? {} : { memoryUsedBytes: machine.usedBytes, memoryTotalBytes: machine.totalBytes };
  let smallest = machine?.totalBytes ?? Infinity;
  for (const group of groups) {
    const limit = parseLimit(readText(group.limit) ?? '');
    const used = limit !== undefined && limit < smallest ? groupUse(group) : undefined;
    if (limit === undefined || used === undefined) continue;
    smallest = limit;
    tightest = { memoryUsedBytes: used, memoryTotalBytes: limit };
  }
  return tightest;
}

/** What the group uses without file pages that the kernel would drop first. */
function groupUse(group: MemoryGroup): number | undefined {
  const used = parseLimit(readText(group.used) ?? '');
  if (used === undefined) return undefined;
  return Math.max(0, used - (memoryRow(readText(group.details) ?? '', group.inactive) ?? 0));
}
