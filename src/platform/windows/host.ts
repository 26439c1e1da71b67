// Owns the numbers of a Windows host: processor time of all cores, memory, and its name.
import { cpus, release, version } from 'node:os';
import type { Disk } from '../disk.ts';
import type { HostUsage } from '../platform.ts';
import type { Win32 } from './win32.ts';

/** @throws Win32Error */
export function readHost(win32: Win32, cores: number, disk: Disk): HostUsage {
  const { idle, kernel, user } = win32.systemTimes();
  const { totalBytes, freeBytes } = win32.memory();
  // Windows counts idle time as kernel time too.
  const totalMs = Number((kernel + user) / 10_000n);
  const busyMs = Math.max(0, Number((kernel + user - idle) / 10_000n));
  return { cores, busyMs, totalMs, memoryTotalBytes: totalBytes, memoryUsedBytes: totalBytes - freeBytes, ...disk };
}

export function coresOf(): number { return Math.max(1, cpus().length); }

/** "Windows Server 2022 Datacenter, 10.0.20348". */
export function osName(): string { return `${version()}, ${release()}`; }
