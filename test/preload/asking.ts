// Owns asking an app over its link, as the agent does: a connection of its own, one question, the artifact and how it ended.
import { readFile, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Announcement, AppAnswer, AppTick, RAW_FRAME, type AppWanted } from '../../src/shared/app-link.ts';

export interface Asked { readonly states: readonly AppAnswer[]; readonly artifact: Buffer }

export async function announced(folder: string): Promise<Announcement> {
  const name = (await readdir(folder)).find((one) => /^\d+-\d+\.json$/.test(one));
  return Announcement.parse(JSON.parse(await readFile(join(folder, name ?? 'no announcement'), 'utf8')));
}

/** `onBegun`: while the app is at it. */
export async function question({ address, key }: Announcement, wanted: AppWanted | object, { onBegun, withKey = key ?? '' }: { onBegun?: () => void; withKey?: string } = {}): Promise<Asked> {
  const socket = connect(address);
  const ask = Buffer.from(JSON.stringify({ type: 'ask', version: 1, key: withKey, wanted }));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(ask.length);
  socket.write(Buffer.concat([head, ask]));
  const states: AppAnswer[] = [];
  const pieces: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  for await (const bytes of socket) {
    rest = Buffer.concat([rest, bytes as Buffer]);
    for (let size = 0; rest.length >= 4 && rest.length >= (size = rest.readUInt32LE(0) & ~RAW_FRAME) + 4; rest = rest.subarray(size + 4)) {
      const body = rest.subarray(4, size + 4);
      if (rest.readUInt32LE(0) >= RAW_FRAME) { pieces.push(body); continue; }
      const frame = JSON.parse(body.toString('utf8')) as { type: string };
      if (frame.type !== 'answer') continue;
      const state = AppAnswer.parse(frame);
      states.push(state);
      if (state.state === 'begun') onBegun?.();
    }
  }
  return { states, artifact: Buffer.concat(pieces) };
}

export interface Heard { readonly ticks: readonly AppTick[]; close(): void }

/** Listens as the agent does; a tick that does not fit the contract fails the test that reads it. */
export function listenTo({ address }: Announcement): Heard {
  const ticks: AppTick[] = [];
  let rest: Buffer = Buffer.alloc(0);
  const socket = connect(address).on('error', () => undefined).on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (let size = 0; rest.length >= 4 && rest.length >= (size = rest.readUInt32LE(0)) + 4; rest = rest.subarray(size + 4)) {
      const frame = JSON.parse(rest.toString('utf8', 4, size + 4)) as { type: string };
      if (frame.type === 'tick') ticks.push(AppTick.parse(frame));
    }
  });
  return { ticks, close: () => { socket.destroy(); } };
}
