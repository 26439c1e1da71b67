// Owns where this process meets the agent: the folder and file names below the home, and the address of its socket or pipe.
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeOf, type Surroundings } from './guards.ts';
import { epoch } from './time.ts';

/** As the agent makes it: platform/identity.ts. */
const INSTANCE_LETTERS = 6;

export interface Places {
  readonly startedAt: number;
  readonly folder: string;
  readonly announcement: string;
  readonly crash: string;
  readonly want: string;
  readonly state: string;
  /** Of what a watch takes: the ending says what it is. */
  readonly stem: string;
  frame(slot: number): string;
}

export function placesOf(env: Surroundings['env']): Places {
  const startedAt = Math.round(epoch() - process.uptime() * 1_000);
  const folder = join(homeOf(env) ?? '', 'data', 'DaaS', 'diag', 'apps', instanceOf(env));
  const stem = join(folder, `${process.pid}-${startedAt}`);
  return { startedAt, folder, announcement: `${stem}.json`, crash: `${stem}.crash`, want: `${stem}.want`, state: `${stem}.state`, stem, frame: (slot) => `${stem}.${slot}.frame` };
}

function instanceOf(env: Surroundings['env']): string {
  const id = env['WEBSITE_INSTANCE_ID']?.trim() ?? '';
  const given = id.slice(0, INSTANCE_LETTERS).toLowerCase();
  if (/^[a-z0-9]+$/.test(given)) return given;
  const machine = env['COMPUTERNAME']?.trim();
  return createHash('sha256').update(id !== '' ? id : machine !== undefined && machine !== '' ? machine : hostname()).digest('hex').slice(0, INSTANCE_LETTERS);
}

/** A name that nobody can guess, in a folder that only we may enter. @throws Error where somebody else has that folder */
export function newAddress(): string {
  const name = `app-service-diag-${process.pid}-${randomBytes(8).toString('hex')}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `app-service-diag-apps-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const seen = lstatSync(folder);
  if (!seen.isDirectory() || seen.uid !== uid) throw new Error('the folder for sockets is not ours');
  if ((seen.mode & 0o077) !== 0) chmodSync(folder, 0o700);
  return join(folder, `${name}.sock`);
}
