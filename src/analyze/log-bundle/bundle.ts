// Owns the diagnostic dump: the chosen files in one zip that is made while it is sent, and a manifest that names everything, also what is not in it.
import { Readable } from 'node:stream';
import type { Writable } from 'node:stream';
import { LogProviderId, type LogBundleManifest, type LogBundleQuery } from '../../shared/log-bundle.ts';
import { sayError } from '../../shared/errors.ts';
import type { Platform } from '../../platform/platform.ts';
import { codeIn } from '../../store/atomic.ts';
import { MANIFEST } from '../manifest.ts';
import type { Masker } from '../masker.ts';
import { zipOf, type AddEntry } from '../zip-stream.ts';
import { contentOf, type Content } from './content.ts';
import { survey, TITLES, type Found } from './providers.ts';

export interface LogBundleOrder {
  readonly out: Writable;
  readonly platform: Pick<Platform, 'host' | 'clock'>;
  readonly query: LogBundleQuery;
  readonly masker: Masker;
  readonly askedBy: string;
  readonly version: string;
  readonly signal: AbortSignal;
}

/** More names than a person reads; the rest is counted. */
const NAMED_LEFT_OUT = 2_000;

/** Resolves with the manifest when the reader has all. */
export async function writeLogBundle(order: LogBundleOrder): Promise<LogBundleManifest> {
  const { platform, query, version, askedBy, signal } = order;
  const providers = query.providers ?? LogProviderId.options;
  const chosen = LogProviderId.options.filter((id) => providers.includes(id));
  const { files, unseen, more } = await survey(platform.host.folders, new Set(chosen), signal);
  const { from, to, maxBytes } = query;
  const manifest: LogBundleManifest = {
    version: 1, tool: { name: 'app-service-diag', version }, app: platform.host.app, madeAt: platform.clock.now(), askedBy,
    asked: { providers: chosen, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }), ...(maxBytes === undefined ? {} : { maxBytes }) },
    files: [], leftOut: [], leftOutMore: more, masked: 0,
  };
  for (const { provider, name, why } of unseen) leaveOut(manifest, { provider, name, sizeBytes: 0 }, why);
  await zipOf(order.out, signal, async (add) => {
    let leftBytes = maxBytes ?? Infinity;
    for (const file of inTurn(files, maxBytes)) {
      signal.throwIfAborted();
      leftBytes -= await one(order, manifest, file, leftBytes, add);
    }
    await add(MANIFEST, Readable.from([Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`)]), new Date(manifest.madeAt));
  });
  return manifest;
}

/** Where room is short the newest of all go first; else provider by provider. */
const inTurn = (files: readonly Found[], maxBytes: number | undefined): readonly Found[] => (maxBytes === undefined ? files : [...files].sort((a, b) => b.changedAt - a.changedAt));

function leaveOut(manifest: LogBundleManifest, { provider, name, sizeBytes }: Pick<Found, 'provider' | 'name' | 'sizeBytes'>, why: string): void {
  if (manifest.leftOut.length < NAMED_LEFT_OUT) manifest.leftOut.push({ path: name, provider, bytes: sizeBytes, why });
  else manifest.leftOutMore += 1;
}

/** Bytes that went in. */
async function one({ query: { from, to }, masker, signal }: LogBundleOrder, manifest: LogBundleManifest, file: Found, leftBytes: number, add: AddEntry): Promise<number> {
  if (from !== undefined && file.changedAt < from) { leaveOut(manifest, file, 'it was last written before the time that was asked for'); return 0; }
  let content: Content;
  try {
    const taken = await contentOf(file, { from, to, leftBytes }, masker, signal);
    if ('why' in taken) { leaveOut(manifest, file, taken.why); return 0; }
    content = taken;
  } catch (error) {
    signal.throwIfAborted();
    leaveOut(manifest, file, whyNot(error));
    return 0;
  }
  const broken: string[] = [];
  const added = await add(file.name, Readable.from(untilBroken(content.source, signal, broken)), new Date(file.changedAt));
  const notes = [...content.notes(), ...broken];
  manifest.masked += content.tally.masked;
  manifest.files.push({ path: file.name, provider: file.provider, bytes: added.bytes, ofBytes: file.sizeBytes, changedAt: file.changedAt, sha256: added.sha256, masked: content.tally.masked, ...(notes.length === 0 ? {} : { note: notes.join('; ') }) });
  return added.bytes;
}

/** A file that cannot be read on ends here, and its note says so; the others are still wanted. */
async function* untilBroken(source: AsyncIterable<Buffer>, signal: AbortSignal, broken: string[]): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of source) yield chunk;
  } catch (error) {
    signal.throwIfAborted();
    broken.push(`it ends early: ${whyNot(error)}`);
  }
}

function whyNot(error: unknown): string {
  const code = codeIn(error);
  if (code === 'EBUSY') return 'a program holds it (EBUSY)';
  if (code === 'EACCES' || code === 'EPERM') return `it may not be read (${code})`;
  return code === 'ENOENT' ? 'it went away meanwhile' : sayError(error);
}

/** What there is now, by provider. */
export async function listProviders(platform: Pick<Platform, 'host'>, signal: AbortSignal): Promise<{ providers: { id: LogProviderId; title: string; files: number; bytes: number; newestAt?: number }[]; more: number }> {
  const { files, more } = await survey(platform.host.folders, new Set(LogProviderId.options), signal);
  const providers = LogProviderId.options.map((id) => {
    const mine = files.filter(({ provider }) => provider === id);
    const newestAt = mine[0]?.changedAt;
    return { id, title: TITLES[id], files: mine.length, bytes: mine.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), ...(newestAt === undefined ? {} : { newestAt }) };
  });
  return { providers, more };
}
