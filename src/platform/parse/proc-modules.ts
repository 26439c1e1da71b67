// Owns reading which program files a process has mapped, from the text of /proc/PID/maps.
import type { Module } from '../platform.ts';

const LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ ([1-9]\d*) +(\/.*)$/;

/** Files of which some part may be executed, each once from its first to its last mapping, in the order of their addresses. */
export function parseModules(maps: string): Module[] {
  const found = new Map<string, { from: number; to: number; runs: boolean }>();
  for (const line of maps.split('\n')) {
    const [, from = '', to = '', rights = '', , name = ''] = LINE.exec(line) ?? [];
    if (from === '') continue;
    const path = name.replace(/ \(deleted\)$/, '');
    const module = found.get(path) ?? { from: Number.parseInt(from, 16), to: 0, runs: false };
    module.to = Number.parseInt(to, 16);
    module.runs ||= rights[2] === 'x';
    found.set(path, module);
  }
  return [...found].filter(([, { runs }]) => runs).map(([path, { from, to }]) => ({ path, address: `0x${from.toString(16)}`, sizeBytes: to - from }));
}
