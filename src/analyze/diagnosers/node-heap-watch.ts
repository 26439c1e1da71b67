// Owns fetching what watches for the heap's limit took before their processes died: snapshots, heap profiles and reports that lie beside the apps' files.
import { copyFile, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import type { ArtifactKind } from '../../shared/model.ts';
import { plural } from '../../shared/units.ts';
import type { Collecting, Diagnoser } from '../contracts.ts';
import { maskJson, writeJson } from '../write.ts';

const TAKEN = /^(\d{1,10})-\d{1,16}\.(heapsnapshot|heapprofile|report\.json)$/;
const KINDS: Readonly<Record<string, ArtifactKind>> = { heapsnapshot: 'heap-snapshot', heapprofile: 'heap-profile', 'report.json': 'node-report' };
/** A site in a crash loop takes one each time: the newest are enough to tell why. */
const MOST = 4;
const REPORT_BYTES = 32 * 1024 * 1024;

export const nodeHeapWatch: Diagnoser = {
  id: 'node-heap-watch',
  title: 'What a heap watch took',
  about: 'Snapshots, heap profiles and reports that the preload took when a heap was nearly full: ordered under Observe, App, kept for an hour after the process is gone.',
  options: z.strictObject({}),
  cost: 'free',
  costNote: 'They lie there already. A snapshot holds the app\'s objects as they are.',
  preselected: false,
  produces: ['heap-snapshot', 'heap-profile', 'node-report'],
  offered: () => ({ yes: true }),
  async collect(run) {
    const folder = join(run.platform.host.folders.own, 'apps', run.platform.host.app.instance);
    const found = await takenIn(folder);
    if (found.length === 0) throw new DiagError('NOTHING_TO_COLLECT', { why: 'no watch for the heap\'s limit has taken anything within the last hour', remedy: 'Order one under Observe, App: it takes its artifact once the heap of the process is nearly full.' });
    for (const one of found.slice(0, MOST)) await fetched(run, folder, one);
    run.progress(`${plural(Math.min(MOST, found.length), 'artifact')} fetched${found.length > MOST ? `, ${plural(found.length - MOST, 'older one')} left` : ''}`, 1);
  },
};

interface Taken { readonly name: string; readonly pid: string; readonly ending: string; readonly at: number; readonly sizeBytes: number }

/** The newest first. */
async function takenIn(folder: string): Promise<readonly Taken[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => { if (error.code === 'ENOENT') return []; throw error; });
  const found = await Promise.all(names.map(async (name): Promise<Taken[]> => {
    const [, pid, ending] = TAKEN.exec(name) ?? [];
    const seen = pid === undefined || ending === undefined ? undefined : await stat(join(folder, name)).catch(() => undefined);
    return seen === undefined || pid === undefined || ending === undefined ? [] : [{ name, pid, ending, at: seen.mtimeMs, sizeBytes: seen.size }];
  }));
  return found.flat().sort((a, b) => b.at - a.at);
}

/** A report is masked as every report; the others are binary in spirit and stay as they are. What is fetched is gone from there. */
async function fetched(run: Collecting, folder: string, { name, pid, ending, sizeBytes }: Taken): Promise<void> {
  const path = join(folder, name);
  const kind = KINDS[ending] as ArtifactKind;
  const note = `taken by the preload of process ${pid} when its heap was nearly full`;
  if (kind === 'node-report' && sizeBytes <= REPORT_BYTES) {
    const { value, count } = maskJson(JSON.parse(await readFile(path, 'utf8')), run.mask);
    await writeJson(run, kind, `node-report-${pid}-heap.json`, value, { masked: count, note });
  } else {
    const draft = await run.artifacts.draft(kind, `process-${pid}-heap.${ending}`, sizeBytes);
    try {
      await copyFile(path, draft.path);
      await draft.commit({ note: `${note}; not masked` });
    } finally {
      await draft.discard();
    }
  }
  await rm(path, { force: true });
}
