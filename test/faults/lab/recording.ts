// Owns what a run of the lab leaves for ever: the artifacts that causes are read from, in one small file, and the diagnosis of it without any program.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { diagnosisOf } from '../../../src/analyze/analyzers/causes.ts';
import { SCENE_KINDS } from '../../../src/analyze/events/scene.ts';
import { readerOf, type Placed } from '../../../src/analyze/readers.ts';
import type { ArtifactReader } from '../../../src/analyze/contracts.ts';
import type { Diagnosis } from '../../../src/shared/cause.ts';
import type { ArtifactKind } from '../../../src/shared/model.ts';
import { given, never, reader } from '../../analyze/artifacts.ts';

export const RECORDED = resolve(import.meta.dirname, '../recorded');

export interface Recorded { readonly kind: ArtifactKind; readonly name: string; readonly text: string }
/** tookMs: from the click to the report, when it was recorded. */
export interface Recording { readonly fault: string; readonly tookMs?: number; readonly window: { readonly from: number; readonly to: number }; readonly files: readonly Recorded[] }

/** Larger logs say nothing more and would make the recording large. */
const MAX_BYTES = 32 * 1024 * 1024;

export async function recordingOf(fault: string, window: Recording['window'], placed: readonly Placed[]): Promise<Recording> {
  const files: Recorded[] = [];
  for (const one of placed) {
    if (!SCENE_KINDS.some((kind) => kind === one.ref.kind)) continue;
    files.push({ kind: one.ref.kind, name: one.ref.name, text: (await readerOf(one).text(MAX_BYTES)).text });
  }
  return { fault, window: { from: window.from, to: window.to }, files: files.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

const pathOf = (fault: string): string => join(RECORDED, `${fault}.json.gz`);

export async function keep(recording: Recording): Promise<void> {
  await writeFile(pathOf(recording.fault), gzipSync(JSON.stringify(recording), { level: 9 }));
}

export async function recordings(): Promise<Recording[]> {
  const names = (await readdir(RECORDED)).filter((name) => name.endsWith('.json.gz')).sort();
  return Promise.all(names.map((name) => recorded(basename(name, '.json.gz'))));
}

export async function recorded(fault: string): Promise<Recording> {
  return JSON.parse(gunzipSync(await readFile(pathOf(fault))).toString('utf8')) as Recording;
}

/** In the order of names within a kind, as a session hands them over. */
export function diagnosed({ window, files }: Recording): Promise<Diagnosis> {
  return diagnosisOf(given(...files.map((file): ArtifactReader => reader(file.kind, file.name, file.text))), window, never);
}
