// Owns where everything of ours lies below the home, and which names may become part of a path.
import { join } from 'node:path';
import { DiagError } from '../shared/errors.ts';
import { SessionId } from '../shared/model.ts';
import type { Platform } from '../platform/platform.ts';

/**
 * data/DaaS/{Logs,Reports}/<session> as users know them; data/DaaS/diag for the rest. The platform's own
 * data/DaaS/{Sessions,Monitoring} and PrivateSettings.json belong to another program and are never touched.
 */
export interface Places {
  /** As in every path and record; made safe for a folder name. */
  readonly instance: string;
  readonly sessions: string;
  readonly history: string;
  readonly journals: string;
  /** What speeds up searches of the HTTP log, and can be made again. */
  readonly httpIndex: string;
  /** Local disk: one folder per run of an agent. */
  readonly temp: string;
  logs(id: SessionId): string;
  reports(id: SessionId): string;
}

export function placesOf(platform: Platform): Places {
  const { app, folders } = platform.host;
  const instance = app.instance.replace(/[^A-Za-z0-9_-]/g, '_').replace(/^-/, '_').slice(0, 64) || 'instance';
  return {
    instance,
    sessions: join(folders.own, 'sessions'),
    history: join(folders.own, 'history', instance),
    journals: join(folders.own, 'journals', instance),
    httpIndex: join(folders.own, 'http-index', instance),
    temp: folders.temp,
    logs: (id) => join(folders.data, 'Logs', known(id)),
    reports: (id) => join(folders.data, 'Reports', known(id)),
  };
}

/** Ids become folder names: a text that is not of the form is no session, wherever it came from. @throws SESSION_UNKNOWN */
export function known(id: string): SessionId {
  const parsed = SessionId.safeParse(id);
  if (!parsed.success) throw new DiagError('SESSION_UNKNOWN', { session: id.slice(0, 40) });
  return parsed.data;
}

const MAX_NAME = 120;
/** Windows opens a device for these, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
/** The list of artifacts beside them. */
export const INDEX_NAME = 'artifacts.jsonl';

/** Whether a text may be a file's name: one plain component on every system, neither hidden nor a device nor a name of our own making. */
export function isSafeName(name: string): boolean {
  return name.length <= MAX_NAME && /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name) && !name.endsWith('.') && !name.endsWith('.tmp') && name.toLowerCase() !== INDEX_NAME && !DEVICE.test(name);
}
