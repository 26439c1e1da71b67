// Owns the deployments of the site as Kudu recorded them: what changed, when, and whether it went well.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Deployment, DeploymentsFile } from '../../shared/artifacts.ts';
import { plural } from '../../shared/units.ts';
import type { Diagnoser } from '../contracts.ts';
import { childrenOf, deploymentOf, entriesOf } from '../deployment-xml.ts';
import { maskJson, writeJson } from '../write.ts';

/** The newest ones; Kudu keeps them forever. */
const MAX_DEPLOYMENTS = 50;
/** A log.xml of a build can be large; what matters stands in its entries' first lines. */
const MAX_XML_BYTES = 1024 * 1024;

export const deployments: Diagnoser = {
  id: 'deployments',
  title: 'Deployments',
  about: 'The last deployments with author, message, result and log: the first suspect when something broke at a certain minute.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['deployments'],
  offered: () => ({ yes: true }),
  async collect(run) {
    const folder = run.platform.host.folders.deployments;
    const ids = await newestFolders(folder);
    const active = (await textOf(join(folder, 'active')))?.trim();
    const found: Deployment[] = [];
    const unreadable: string[] = [];
    for (const id of ids.slice(0, MAX_DEPLOYMENTS)) {
      run.cancel.throwIfAborted();
      const one = await readOne(folder, id, active);
      if (one.faulty) unreadable.push(id);
      if (one.deployment) found.push(one.deployment);
    }
    found.sort((a, b) => (b.endedAt ?? b.startedAt ?? 0) - (a.endedAt ?? a.startedAt ?? 0) || (a.id < b.id ? -1 : 1));
    const file: DeploymentsFile = { version: 1, deployments: found, unreadable };
    const { value, count } = maskJson(file, run.mask);
    const note = noteOf(ids.length);
    await writeJson(run, 'deployments', 'deployments.json', value, { masked: count, ...(note !== undefined && { note }) });
    run.progress(note ?? plural(found.length, 'deployment'), 1);
  },
};

function noteOf(all: number): string | undefined {
  if (all === 0) return 'no deployment is recorded in site/deployments: the app came here by another way';
  return all > MAX_DEPLOYMENTS ? `the newest ${MAX_DEPLOYMENTS} of ${all}` : undefined;
}

async function newestFolders(folder: string): Promise<string[]> {
  const names = await readdir(folder, { withFileTypes: true }).catch(noneWhenMissing<[]>([]));
  const aged: { name: string; at: number }[] = [];
  // 'tools' holds Kudu's own scripts, not a deployment.
  for (const name of names) if (name.isDirectory() && name.name !== 'tools') aged.push({ name: name.name, at: (await stat(join(folder, name.name))).mtimeMs });
  return aged.sort((a, b) => b.at - a.at || (a.name < b.name ? -1 : 1)).map((a) => a.name);
}

async function readOne(folder: string, id: string, active: string | undefined): Promise<{ deployment?: Deployment; faulty: boolean }> {
  const [status, log] = await Promise.all([textOf(join(folder, id, 'status.xml')), textOf(join(folder, id, 'log.xml'))]);
  if (status === undefined && log === undefined) return { faulty: true };
  const said = childrenOf(status ?? '');
  // Kudu's own steps on the way, such as fetching.
  if (said.texts.get('is_temp')?.toLowerCase() === 'true') return { faulty: false };
  const { entries, whole } = entriesOf(log ?? '');
  return { deployment: deploymentOf(id, said.texts, entries, active), faulty: (status !== undefined && !said.whole) || (log !== undefined && !whole) };
}

async function textOf(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch(noneWhenMissing(undefined));
  return bytes?.subarray(0, MAX_XML_BYTES).toString('utf8').replace(/^\uFEFF/, '');
}

function noneWhenMissing<T>(none: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return none;
    throw error;
  };
}
