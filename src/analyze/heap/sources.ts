// Owns the places of a heap report as the program's sources have them: source maps that lie beside the app's files on this machine.
import type { HeapPlace, HeapReport } from '../../shared/heap.ts';
import { positionIn, SourceFiles } from '../profile/maps.ts';
import { originOf, shortPlace } from './places.ts';

/** The same report with files and lines of the sources; as it was where there are no maps. */
export async function withHeapSources(report: HeapReport, files = new SourceFiles()): Promise<HeapReport> {
  const placed = async <T extends { place?: HeapPlace | undefined }>(one: T): Promise<T> => {
    const place = one.place === undefined ? undefined : await sourceOf(one.place, files);
    return place === undefined ? one : { ...one, place };
  };
  const all = async <T extends { place?: HeapPlace | undefined }>(list: readonly T[]): Promise<T[]> => { const out: T[] = []; for (const one of list) out.push(await placed(one)); return out; };
  const suspects: HeapReport['suspects'] = [];
  for (const one of report.suspects) {
    const next = await placed(one);
    const title = one.place === undefined || next.place === undefined ? one.title : one.title.replace(shortPlace(one.place), () => shortPlace(next.place as HeapPlace));
    suspects.push({ ...next, title, ...one.made === undefined ? {} : { made: await placed(one.made) } });
  }
  return {
    ...report, suspects, classes: await all(report.classes), collections: await all(report.collections), emitters: await all(report.emitters),
    functions: { ...report.functions, byPlace: await all(report.functions.byPlace) }, timers: { ...report.timers, byFunction: await all(report.timers.byFunction) },
  };
}

async function sourceOf({ script, line, column }: HeapPlace, files: SourceFiles): Promise<HeapPlace | undefined> {
  if (originOf(script) === 'node') return undefined;
  const source = await files.of(script);
  const at = source?.map === undefined ? undefined : positionIn(source.map, source.folder, line, column);
  return at === undefined ? undefined : { script: at.url, line: at.line, column: at.column };
}
