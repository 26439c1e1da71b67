// Owns the opening of a profile: which format the file has by its content, within a bound of size, into a call tree.
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { bytes as sized } from '../../shared/units.ts';
import { readJfr } from './jfr.ts';
import { readPprof } from './pprof.ts';
import { readSpeedscope } from './speedscope.ts';
import { isCollapsed, isPerfScript, readCollapsed, readPerfScript } from './text.ts';
import type { ProfileTree } from './tree.ts';
import { unreadableProfile } from './unreadable.ts';
import { readCpuProfile, readHeapProfile } from './v8.ts';

/** An hour of a busy Node has some 40 MB; a text of more than this cannot become one string with room to work. */
export const MAX_PROFILE_BYTES = 256 * 1024 * 1024;

/** @throws PROFILE_UNREADABLE, TIMED_OUT of the jfr tool, what the disk throws */
export async function readProfileFile(path: string, signal: AbortSignal): Promise<ProfileTree> {
  const { size } = await stat(path);
  const file = await open(path, 'r');
  let content: Buffer;
  try {
    const head = Buffer.alloc(4);
    await file.read(head, 0, 4, 0);
    if (head.toString('latin1') === 'FLR\0') return await readJfr(path, signal);
    if (size > MAX_PROFILE_BYTES) throw unreadableProfile(`it has ${sized(size)}, more than the ${sized(MAX_PROFILE_BYTES)} that are read`);
    content = await file.readFile();
  } finally {
    await file.close();
  }
  signal.throwIfAborted();
  return readProfile(content, basename(path));
}

/** Pure, but for the JDK's files. @throws PROFILE_UNREADABLE */
export function readProfile(given: Uint8Array, name: string): ProfileTree {
  const bytes = given[0] === 0x1f && given[1] === 0x8b ? unzipped(given) : given;
  const first = bytes.find((byte) => byte > 0x20);
  if (first === undefined) throw unreadableProfile('it is empty');
  if (first === 0x7b) return ofJson(new TextDecoder().decode(bytes), name);
  if (bytes.subarray(0, 2_000).includes(0) || bytes[0] === 0x0a) return readPprof(bytes);
  const text = new TextDecoder().decode(bytes);
  if (isPerfScript(text)) return readPerfScript(text);
  if (isCollapsed(text)) return readCollapsed(text);
  throw unreadableProfile('it is of no format that is known');
}

function unzipped(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_PROFILE_BYTES });
  } catch (error) {
    throw unreadableProfile(`it cannot be unzipped (${error instanceof Error ? error.message : String(error)})`);
  }
}

function ofJson(text: string, name: string): ProfileTree {
  let json: unknown;
  try { json = JSON.parse(text) as unknown; } catch (error) { if (!(error instanceof SyntaxError)) throw error; }
  if (json === undefined) {
    if (/"nodes"\s*:\s*\[/.test(text.slice(0, 4_096))) return readCpuProfile(undefined, text);
    throw unreadableProfile(`${name} is JSON that is cut off or damaged`);
  }
  const one = json as Record<string, unknown>;
  if (String(one['$schema'] ?? '').includes('speedscope') || (one['shared'] !== undefined && one['profiles'] !== undefined)) return readSpeedscope(json);
  const inner = (typeof one['profile'] === 'object' && one['profile'] !== null ? one['profile'] : one) as Record<string, unknown>;
  if (Array.isArray(inner['nodes'])) return readCpuProfile(json, text);
  if (inner['head'] !== undefined) return readHeapProfile(json);
  throw unreadableProfile(`${name} is JSON of another kind`);
}
