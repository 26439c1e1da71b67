// Owns how a diagnoser puts text and JSON into an artifact: whole or not at all, masked, and named safely.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bytes } from '../shared/units.ts';
import { isSecretName, MASK } from '../shared/mask.ts';
import type { ArtifactKind, ArtifactRef } from '../shared/model.ts';
import type { Collecting } from './contracts.ts';
import type { Masker } from './masker.ts';
import type { Tally } from './masked-text.ts';

const MAX_NAME_CHARS = 110;

/** Windows opens a device for these, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** A file name made of what an artifact's name may hold; the end is kept, because it holds pid and number. */
export function safeName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9._-]+/g, '_').slice(-MAX_NAME_CHARS).replace(/\.+$/, '').replace(/\.tmp$/i, '.tmp_');
  return /^[A-Za-z0-9_]/.test(safe) && !DEVICE.test(safe) && safe.toLowerCase() !== 'artifacts.jsonl' ? safe : `log_${safe}`;
}

/** Writes one JSON artifact. @throws NO_ROOM, and what the disk throws */
export async function writeJson(run: Collecting, kind: ArtifactKind, name: string, value: unknown, extra: { masked?: number; note?: string } = {}): Promise<ArtifactRef> {
  const text = Buffer.from(`${JSON.stringify(value, undefined, 1)}\n`);
  const draft = await run.artifacts.draft(kind, name, text.length);
  try {
    await pipeline(Readable.from([text]), draft.stream(), { signal: run.cancel });
    return await draft.commit(extra);
  } finally {
    await draft.discard();
  }
}

/** Writes text as it comes; `enough` ends it at the next block and keeps what is there. The tally is read when all is written. */
export async function writeText(run: Collecting, to: { kind: ArtifactKind; name: string; needBytes: number; note?: () => string | undefined }, chunks: AsyncIterable<Buffer>, tally: Tally): Promise<ArtifactRef> {
  const draft = await run.artifacts.draft(to.kind, to.name, to.needBytes);
  try {
    await pipeline(untilEnough(chunks, run.enough), draft.stream(), { signal: run.cancel });
    const notes = [to.note?.(), cutNote(tally), run.enough.aborted ? 'stopped early: enough' : undefined].filter((n) => n !== undefined);
    return await draft.commit({ masked: tally.masked, ...(notes.length > 0 && { note: notes.join('; ') }) });
  } finally {
    await draft.discard();
  }
}

function cutNote(tally: Tally): string | undefined {
  const cut = tally.cutBytes > 0 ? `${bytes(tally.cutBytes)} of very long lines left out` : undefined;
  const foreign = tally.foreign ? `was ${tally.foreign}, written as UTF-8` : undefined;
  return [cut, foreign].filter((n) => n !== undefined).join('; ') || undefined;
}

async function* untilEnough(chunks: AsyncIterable<Buffer>, enough: AbortSignal): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk;
    if (enough.aborted) return;
  }
}

/** The same JSON with every string masked, and what stands under a secret name masked whole. */
export function maskJson(value: unknown, mask: Masker): { value: unknown; count: number } {
  let count = 0;
  const walk = (node: unknown, name: string): unknown => {
    if (typeof node === 'string') {
      if (node !== '' && isSecretName(name)) { count += 1; return MASK; }
      const masked = mask.text(node);
      count += masked.count;
      return masked.text;
    }
    if (Array.isArray(node)) return node.map((item) => walk(item, name));
    if (node === null || typeof node !== 'object') return node;
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, walk(item, key)]));
  };
  return { value: walk(value, ''), count };
}
