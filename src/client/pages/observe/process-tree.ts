// Owns the order of the process table: a tree by parent, siblings sorted by the chosen column.
import type { ProcessInfo, Sample } from '../../../shared/model.ts';

export interface ProcessRow { readonly info: ProcessInfo; readonly sample: Sample | undefined; readonly depth: number }
export interface Known { readonly info: ProcessInfo; readonly sample?: Sample | undefined }

/** Whether what is typed is in its name, pid, role, user or command line. */
export function matches({ info }: ProcessRow, find: string): boolean {
  const sought = find.trim().toLowerCase();
  return sought === '' || [info.name, String(info.pid), info.role, info.user, info.commandLine].some((text) => text?.toLowerCase().includes(sought) === true);
}

/** Parents before their children; a process whose parent is not in the list is a root. A circle (a reused pid) ends at its second visit. */
export function treeOf(processes: readonly Known[], samples: ReadonlyMap<string, Sample>): readonly ProcessRow[] {
  const byPid = new Map(processes.map((p) => [p.info.pid, p]));
  const children = new Map<number, Known[]>();
  const roots: Known[] = [];
  for (const p of processes) {
    const parent = p.info.parent === undefined ? undefined : byPid.get(p.info.parent);
    // A parent that started later only has the pid of the real one.
    if (!parent || parent === p || parent.info.startedAt > p.info.startedAt) roots.push(p);
    else children.set(parent.info.pid, [...(children.get(parent.info.pid) ?? []), p]);
  }
  const out: ProcessRow[] = [];
  const seen = new Set<number>();
  const walk = (list: readonly Known[], depth: number): void => {
    for (const p of [...list].sort((a, b) => a.info.startedAt - b.info.startedAt || a.info.pid - b.info.pid)) {
      if (seen.has(p.info.pid)) continue;
      seen.add(p.info.pid);
      out.push({ info: p.info, sample: samples.get(`${p.info.pid}:${p.info.startedAt}`) ?? p.sample, depth });
      walk(children.get(p.info.pid) ?? [], depth + 1);
    }
  };
  walk(roots, 0);
  walk(processes, 0);
  return out;
}
