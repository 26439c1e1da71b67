// Owns Kudu's zip address: a folder's content as a zip, and a zip's content into a folder, over what is there and without deleting.
import { pipeline } from 'node:stream/promises';
import { DiagError } from '../../shared/errors.ts';
import type { FileDoor } from '../../platform/files/door.ts';
import type { Agent } from '../../agent/agent.ts';
import type { KuduCall, KuduRoutes } from './route.ts';
import { fileWord, word } from './shape.ts';
import { lookAt, meantBy, redirect, unknown, type Meant } from './vfs.ts';

/** The door asks whether the disk has room; no zip of a site comes near this. */
const MAX_UPLOAD_BYTES = 64 * 1024 * 1024 * 1024;
/** In the zip, only when something could not be read. */
const LEFT_OUT = 'diag-left-out.json';

export function zipRoutes(routes: KuduRoutes, agent: Agent, door: FileDoor): void {
  routes.below('/zip', async (call) => {
    const meant = meantBy(call);
    switch (call.req.method) {
      case 'GET': await send(agent, door, meant, call); return;
      case 'PUT': await take(agent, door, meant, call); return;
      default: throw new DiagError('METHOD_REFUSED', { method: call.req.method, path: '/zip' });
    }
  });
}

async function send(agent: Agent, door: FileDoor, { place, slash }: Meant, call: KuduCall): Promise<void> {
  const { req, res, who, signal } = call;
  const entry = await lookAt(door, place);
  if (entry?.kind !== 'folder') throw unknown(place);           // a single file is not zipped, as with Kudu
  if (!slash) { redirect(call, true); return; }
  const name = word(req, 'fileName')?.replace(/\.zip$/i, '') ?? place.path.split('/').at(-1) ?? '';
  const zipping = await door.zip(place, { manifest: LEFT_OUT }, signal);
  zipping.leftOut.catch(() => undefined);                      // the stream tells what fails
  res.attachment(`${fileWord(name === '' ? 'home' : name)}.zip`);
  res.type('application/zip');
  await agent.audit(who, 'download zip', place.path, 'sent');
  try {
    await pipeline(zipping.stream, res, { signal });
  } catch (error) {
    if (!signal.aborted && !res.destroyed) throw error;
  }
}

async function take(agent: Agent, door: FileDoor, { place, slash }: Meant, { req, res, who, signal }: KuduCall): Promise<void> {
  const entry = await lookAt(door, place);
  if (entry === undefined ? !slash : entry.kind !== 'folder') throw unknown(place);
  const received = await door.receive(req, MAX_UPLOAD_BYTES, signal);
  try {
    const { files, replaced, bytes } = await door.unzip({ local: received.local }, place, { existing: 'replace' }, signal);
    await agent.audit(who, 'unzip', place.path, `${files} files of ${bytes} bytes, ${replaced} of them over others`);
    res.status(200).end();
  } finally {
    await received.remove();
  }
}
