// Owns putting the demo app into site/wwwroot, and the deployment record Kudu would leave of it.
import { createHash, randomUUID } from 'node:crypto';
import { cp, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole, xml } from './files.ts';
import type { Home } from './home.ts';

/**
 * Copies the app at `from` into wwwroot and records it as a deployment, when wwwroot does not hold it already.
 * The id is the hash of the app's files, so the same app is deployed once and a changed one again.
 */
export async function deploy(from: string, home: Home, message: string): Promise<{ id: string; fresh: boolean }> {
  const startedAt = Date.now();
  const id = await hashOf(from);
  if ((await activeId(home)) === id) return { id, fresh: false };
  const next = `${home.wwwroot}.next`;
  await rm(next, { recursive: true, force: true });
  await cp(from, next, { recursive: true });
  await rm(home.wwwroot, { recursive: true, force: true });
  await rename(next, home.wwwroot);
  const folder = join(home.deployments, id);
  await writeWhole(join(folder, 'log.xml'), logText(startedAt, Date.now()));
  await writeWhole(join(folder, 'status.xml'), statusText(id, message, startedAt, Date.now()));
  await writeWhole(join(home.deployments, 'active'), id);
  return { id, fresh: true };
}

async function activeId(home: Home): Promise<string | undefined> {
  try {
    await stat(join(home.wwwroot, 'server.js'));
    return (await readFile(join(home.deployments, 'active'), 'utf8')).trim();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** 40 hex digits over names and contents, in an order that does not depend on the folder's. */
async function hashOf(folder: string): Promise<string> {
  const hash = createHash('sha1');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.path, entry.name)).sort();
  for (const file of files) hash.update(file.slice(folder.length)).update('\0').update(await readFile(file)).update('\0');
  return hash.digest('hex');
}

function statusText(id: string, message: string, startedAt: number, endedAt: number): string {
  const [start, end] = [new Date(startedAt).toISOString(), new Date(endedAt).toISOString()];
  return `<?xml version="1.0" encoding="utf-8"?>
<deployment>
  <id>${xml(id)}</id>
  <author>N/A</author>
  <deployer>ZipDeploy</deployer>
  <authorEmail>N/A</authorEmail>
  <message>${xml(message)}</message>
  <progress></progress>
  <status>Success</status>
  <statusText></statusText>
  <lastSuccessEndTime>${end}</lastSuccessEndTime>
  <receivedTime>${start}</receivedTime>
  <startTime>${start}</startTime>
  <endTime>${end}</endTime>
  <complete>True</complete>
  <is_temp>False</is_temp>
  <is_readonly>False</is_readonly>
</deployment>
`;
}

function logText(startedAt: number, endedAt: number): string {
  const entry = (at: number, text: string): string =>
    `  <entry time="${new Date(at).toISOString()}" id="${randomUUID()}" type="0">\n    <message>${xml(text)}</message>\n  </entry>`;
  return `<?xml version="1.0" encoding="utf-8"?>
<entries>
${entry(startedAt, 'Preparing deployment.')}
${entry(endedAt, 'Deployment successful.')}
</entries>
`;
}
