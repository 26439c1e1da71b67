// Owns reading the text files of the host: /proc/stat, /proc/meminfo, os-release, and where a control group limits memory.

/** Of all cores since boot, in clock ticks. Waiting for a disk is not busy; guest time is already inside user time (proc_stat(5)). */
export interface CpuTicks { readonly busy: number; readonly total: number; readonly cores: number; readonly bootAtSeconds: number | undefined }

export function parseCpu(text: string): CpuTicks | undefined {
  const match = /^cpu +(.+)$/m.exec(text);
  if (match === null) return undefined;
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0, steal = 0] = (match[1] ?? '').split(' ').map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  const boot = /^btime (\d+)$/m.exec(text)?.[1];
  return { busy, total: busy + idle + waiting, cores: text.match(/^cpu\d+ /gm)?.length ?? 1, bootAtSeconds: boot === undefined ? undefined : Number(boot) };
}

/** Used = total without what is available for programs without swapping (kernel 3.14 and later say it themselves). */
export function parseMemory(text: string): { readonly totalBytes: number; readonly usedBytes: number } | undefined {
  const total = kibibytes(text, 'MemTotal');
  const available = kibibytes(text, 'MemAvailable');
  if (total === undefined || available === undefined) return undefined;
  return { totalBytes: total, usedBytes: Math.max(0, total - available) };
}

function kibibytes(text: string, name: string): number | undefined {
  const match = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]) * 1024;
}

/** "Debian GNU/Linux 12 (bookworm)" of /etc/os-release. */
export function parseOsRelease(text: string): string | undefined {
  return /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(text)?.[1];
}

/** Files that say limit and use of memory, nearest group first; outer groups limit too. */
export interface MemoryGroup { readonly limit: string; readonly used: string; readonly details: string; readonly inactive: 'inactive_file' | 'total_inactive_file' }

/** From /proc/self/cgroup and /proc/self/mountinfo: the own group of version 2 or 1, and every group above it. */
export function memoryGroups(cgroup: string, mounts: string): MemoryGroup[] {
  const groups: MemoryGroup[] = [];
  for (const mount of mounts.split('\n')) {
    const [, root, at, type, options] = /^\S+ \S+ \S+ (\S+) (\S+) .*? - (cgroup2?) \S+ (\S+)$/.exec(mount) ?? [];
    if (root === undefined || at === undefined) continue;
    const second = type === 'cgroup2';
    if (!second && !options?.split(',').includes('memory')) continue;
    const own = ownGroup(cgroup, second);
    if (own === undefined) continue;
    for (const folder of upwards(at, root === '/' ? own : below(own, root))) groups.push(files(folder, second));
  }
  return groups;
}

function ownGroup(cgroup: string, second: boolean): string | undefined {
  for (const line of cgroup.split('\n')) {
    const [id, controllers, path] = line.split(':');
    if (path === undefined) continue;
    if (second ? id === '0' && controllers === '' : controllers?.split(',').includes('memory')) return path;
  }
  return undefined;
}

/** In a container the mount shows only the part of the tree below `root`. */
function below(own: string, root: string): string {
  return own.startsWith(root) ? own.slice(root.length) : '/';
}

function upwards(mount: string, path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, i) => [mount, ...parts.slice(0, parts.length - i)].join('/'));
}

function files(folder: string, second: boolean): MemoryGroup {
  return second
    ? { limit: `${folder}/memory.max`, used: `${folder}/memory.current`, details: `${folder}/memory.stat`, inactive: 'inactive_file' }
    : { limit: `${folder}/memory.limit_in_bytes`, used: `${folder}/memory.usage_in_bytes`, details: `${folder}/memory.stat`, inactive: 'total_inactive_file' };
}

/** A limit file's number; undefined for "max" and for the huge number that stands for none in version 1. */
export function parseLimit(text: string): number | undefined {
  const value = Number(text.trim());
  return text.trim() !== '' && Number.isFinite(value) && value < 2 ** 60 ? value : undefined;
}

/** One row of memory.stat, in bytes. */
export function memoryRow(text: string, name: string): number | undefined {
  const match = new RegExp(`^${name} (\\d+)$`, 'm').exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
