// Owns what tests of the local App Service share: its rows read back by their own header, raw requests, living processes.
import { readFile, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LocalAppService, type LocalOptions, startLocalAppService } from '../../scripts/local/index.ts';
import { lives, markOf } from '../../scripts/local/process-mark.ts';
import { waitFor } from '../support/wait.ts';

export const app = (name: string): string => fileURLToPath(new URL(`./apps/${name}`, import.meta.url));

/** Raises a service, hands it to the body, and ends it whatever the body does. */
export async function withService(options: LocalOptions, body: (service: LocalAppService) => Promise<void>): Promise<void> {
  const service = await startLocalAppService(options);
  try {
    await body(service);
  } finally {
    await service.stop();
  }
}

export type LogRow = Record<string, string>;

export async function rawLogNames(home: string): Promise<string[]> {
  return (await readdir(join(home, 'LogFiles/http/RawLogs'))).sort();
}

/** Every row of every raw log, oldest file first, by the names of the `#Fields:` line above it. Throws on a row that does not fit. */
export async function rows(home: string): Promise<LogRow[]> {
  const found: LogRow[] = [];
  const folder = join(home, 'LogFiles/http/RawLogs');
  for (const name of await rawLogNames(home)) {
    let fields: string[] | undefined;
    const text = await readFile(join(folder, name), 'latin1');
    const whole = text.slice(0, text.lastIndexOf('\r\n') + 2); // the last row may be under way
    for (const line of whole.split('\r\n').slice(0, -1)) {
      if (line.startsWith('#Fields: ')) fields = line.slice(9).split(' ');
      if (line.startsWith('#')) continue;
      const words = line.split(' ');
      if (words.length !== fields?.length) throw new Error(`${words.length} words for ${fields?.length} fields: ${line.slice(0, 200)}`);
      found.push(Object.fromEntries(fields.map((field, i) => [field, words[i] ?? ''])));
    }
  }
  return found;
}

/** Waits for the row of a path, and gives it with its three status numbers as one word. */
export async function rowOf(home: string, path: string): Promise<LogRow & { signature: string }> {
  const row = await waitFor(`the row of ${path}`, async () => (await rows(home)).find((candidate) => candidate['cs-uri-stem'] === path));
  return { ...row, signature: `${row['sc-status']}.${row['sc-substatus']}/${row['sc-win32-status']}` };
}

export interface EventSeen { readonly id: number; readonly text: string }

export async function events(home: string): Promise<EventSeen[]> {
  const text = await readFile(join(home, 'LogFiles/eventlog.xml'), 'utf8');
  return [...text.matchAll(/<EventID>(\d+)<.*?<Data>(.*?)<\/Data>/g)].map((match) => ({ id: Number(match[1]), text: match[2] ?? '' }));
}

export const eventOf = (home: string, id: number): Promise<EventSeen> =>
  waitFor(`event ${id}`, async () => (await events(home)).find((event) => event.id === id));

/** Sends bytes on a connection of its own and resolves with everything that came back until it was closed. */
export function raw(siteUrl: string, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(siteUrl).port), '127.0.0.1');
    const got: Buffer[] = [];
    socket.on('data', (piece) => got.push(piece));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(got).toString('latin1')));
    socket.write(bytes);
  });
}

/** Whether the process of this pid still is the one that was seen when `watch` was called. */
export function watch(pid: number | undefined): { pid: number; alive(): boolean } {
  const mark = pid === undefined ? undefined : markOf(pid);
  if (pid === undefined || mark === undefined) throw new Error(`process ${pid} does not live`);
  return { pid, alive: () => lives({ pid, mark }) };
}
