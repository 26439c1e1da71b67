// Owns the running of a program of the zoo and what our analysis says of its snapshots.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { heapReport } from '../../../src/analyze/heap/report.ts';

export interface Program { readonly kind: 'leaks' | 'healthy'; readonly name: string; readonly file: string }
export interface Said { readonly at: string; readonly title: string }

const zoo = join(import.meta.dirname, '../../zoo');
/** A crowded machine may take its time. */
const MOST_MS = 120_000;

export async function programs(): Promise<Program[]> {
  const found: Program[] = [];
  for (const kind of ['leaks', 'healthy'] as const) for (const name of (await readdir(join(zoo, kind))).filter((one) => one.endsWith('.cjs')).sort()) found.push({ kind, name: name.slice(0, -4), file: join(zoo, kind, name) });
  return found;
}

/** The first suspect from two snapshots and from the last alone, and the line that the program marks: "map.cjs:4". */
export async function judgedProgram(program: Program, node = process.execPath): Promise<{ two: Said | undefined; one: Said | undefined; want: string | undefined }> {
  const folder = await mkdtemp(join(tmpdir(), 'zoo-'));
  try {
    await promisify(execFile)(node, [program.file, folder, '2'], { timeout: MOST_MS });
    const path = join(folder, '2.heapsnapshot');
    const said = (bases: readonly string[]): Said | undefined => {
      const [first] = heapReport({ path, bases }).suspects;
      return first === undefined ? undefined : { at: `${basename(first.place?.script ?? '')}:${first.place?.line ?? 0}`, title: first.title };
    };
    return { two: said([join(folder, '1.heapsnapshot')]), one: said([]), want: await marked(program) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function marked({ file }: Program): Promise<string | undefined> {
  const others = [...(await readFile(file, 'utf8')).matchAll(/require\('\.\/(lib\/[\w-]+\.cjs)'\)/g)].map(([, name]) => join(file, '..', String(name)));
  for (const one of [file, ...others]) {
    const line = (await readFile(one, 'utf8')).split('\n').findIndex((text) => text.includes('// HOLDER '));
    if (line >= 0) return `${basename(one)}:${line + 1}`;
  }
  return undefined;
}
