// Owns the judgement of heap snapshots: what holds the memory, what grew between two of one process, and who keeps it alive.
import type { Finding } from '../../shared/model.ts';
import type { HeapReport } from '../../shared/heap.ts';
import { DiagError } from '../../shared/errors.ts';
import { bytes, count, plural } from '../../shared/units.ts';
import type { Analyzer, ArtifactReader } from '../contracts.ts';
import { heapReportInThread } from '../heap/thread.ts';
import { oneLine } from '../parse/words.ts';

const ROWS_TOLD = 10;
/** Of one snapshot a holder is worth a warning from this share of the heap on. */
const MUCH = 0.4;
const MOST_SNAPSHOTS = 3;

export const heapSnapshot: Analyzer = {
  id: 'heap-snapshot',
  title: 'Heap snapshot',
  needs: ['heap-snapshot'],
  async analyze(given, _about, cancel) {
    const readers = (given['heap-snapshot'] ?? []).slice(-MOST_SNAPSHOTS);
    const last = readers.at(-1);
    const paths = readers.flatMap((one) => (one.path === undefined ? [] : [one.path]));
    const path = paths.pop();
    if (last === undefined || path === undefined) return [];
    try {
      return judged(await heapReportInThread({ path, bases: paths }, cancel), last);
    } catch (error) {
      if (error instanceof DiagError && error.code === 'HEAP_UNREADABLE') return [unread(last, String(error.facts['why']))];
      throw error;
    }
  },
};

function unread(reader: ArtifactReader, why: string): Finding {
  return { id: 'heap-not-read', area: 'collection', severity: 'cannot-tell', title: `The heap snapshot ${oneLine(reader.ref.name)} cannot be read`, why: `${why}.`, advice: 'Take the snapshot again; where the disk was full, make room first.', evidence: [{ kind: 'artifact', ref: reader.ref }], mitigations: [] };
}

/** `memory-leak-js` is the id of the cause that the diagnosis knows. */
export function judged(report: HeapReport, reader: ArtifactReader): Finding[] {
  const [first] = report.suspects;
  const much = first !== undefined && (first.sign === 'grew' || first.share >= MUCH);
  const summary: Finding = {
    id: 'heap-summary', area: 'memory', severity: report.notes.length > 0 ? 'cannot-tell' : 'info',
    title: `The JavaScript heap has ${bytes(report.bytes)} in ${plural(report.nodes, 'object')}`,
    why: [`Most is held by ${report.largest.slice(0, 3).map((one) => `${oneLine(one.name, 60)} (${bytes(one.retained)})`).join(', ')}.`, ...report.notes.map((note) => `Not all of it could be read: ${note}.`)].join(' '),
    advice: '', evidence: [classTable(report)], mitigations: [],
  };
  if (first === undefined || !much) return [summary];
  return [{
    id: first.sign === 'grew' ? 'memory-leak-js' : 'heap-held-by-one', area: 'memory', severity: 'warning',
    title: oneLine(first.title, 200),
    why: first.sign === 'grew' ? `Between the snapshots ${bytes(report.growth?.grownBytes ?? first.bytes)} came that did not go; ${Math.round(first.share * 100)} % of it hangs there. A heap that only grows ends in long pauses, then in an exit at its limit, and the requests in flight fail.` : `${Math.round(first.share * 100)} % of the heap hangs there. One snapshot does not tell a cache from a leak: a second one, minutes later, does.`,
    advice: first.sign === 'grew' ? `Remove entries from \`${oneLine(first.holder, 80)}\` when they are no longer needed, or give it a bound.` : 'Take a second snapshot under the same load, and compare the two.',
    evidence: [pathTable(report), suspectTable(report), { kind: 'artifact', ref: reader.ref }], mitigations: ['restart'],
  }, summary];
}

function classTable(report: HeapReport): Finding['evidence'][number] {
  return { kind: 'table', title: 'Classes that retain most', columns: [{ title: 'Class', unit: 'code' }, { title: 'Objects', unit: 'count' }, { title: 'Shallow', unit: 'bytes' }, { title: 'Retained', unit: 'bytes' }], rows: report.classes.slice(0, ROWS_TOLD).map((one) => [oneLine(one.name, 80), one.count, one.shallow, one.retained]), more: Math.max(0, report.classes.length + report.moreClasses - ROWS_TOLD) };
}

function suspectTable(report: HeapReport): Finding['evidence'][number] {
  return { kind: 'table', title: 'Suspects', columns: [{ title: 'Who holds', unit: 'text' }, { title: 'Bytes', unit: 'bytes' }], rows: report.suspects.slice(0, ROWS_TOLD).map((one) => [oneLine(one.title, 200), one.bytes]) };
}

function pathTable(report: HeapReport): Finding['evidence'][number] {
  return { kind: 'table', title: 'The way that keeps it alive', columns: [{ title: 'By', unit: 'code' }, { title: 'Object', unit: 'code' }, { title: 'Id', unit: 'text' }], rows: (report.suspects[0]?.path ?? []).map((one) => [oneLine(one.edge, 80), oneLine(one.node, 80), `@${count(one.id)}`]) };
}
