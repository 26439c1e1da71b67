// Owns the judgement of the limits in Node's diagnostic report: open files near their limit, no room for a core, a small stack, and what waits to be written.
import type { Evidence, Finding } from '../../shared/model.ts';
import { bytes, count, percent, plural } from '../../shared/units.ts';
import { oneLine } from '../parse/words.ts';
import type { NodeReport } from './node-report.ts';

/** From here on the next burst of connections ends in EMFILE. */
const FILES_NEAR = 0.8;
const FILES_VERY_NEAR = 0.95;
/** Node's own files, pipes and timers are a handful; fewer are no sign of anything. */
const FEW_FILES = 1_024;
/** V8 takes about 1 MB of it for JavaScript; native parts and workers need room beside. */
const SMALL_STACK_BYTES = 1024 * 1024;
/** So much that waits in one socket is a client that does not read. */
const MUCH_WAITING_BYTES = 16 * 1024 * 1024;

type Limit = { readonly known: false } | { readonly known: true; readonly most: number };

export function limitsOf(report: NodeReport, index: number): Finding[] {
  const suffix = index === 0 ? '' : `-${index + 1}`;
  return [...openFiles(report, suffix), ...small(report, suffix), ...waiting(report, suffix)];
}

function limit(report: NodeReport, name: string): Limit {
  const soft = report.userLimits?.[name]?.soft;
  if (soft === 'unlimited') return { known: true, most: Infinity };
  return typeof soft === 'number' && soft >= 0 ? { known: true, most: soft } : { known: false };
}

/** Handles with a file descriptor are what the report knows of; files that are open without a handle come on top. */
function openFiles(report: NodeReport, suffix: string): Finding[] {
  const files = limit(report, 'open_files');
  if (!files.known) return [];
  const numbers = (report.libuv ?? []).flatMap(({ fd }) => (fd === undefined || fd < 0 ? [] : [fd]));
  // The lowest free number is given to the next file: the highest one says how many are open, or were.
  const open = Math.max(new Set(numbers).size, ...numbers.map((fd) => fd + 1));
  if (numbers.length > 0 && open >= files.most * FILES_NEAR) {
    return [{
      id: `node-open-files-near-limit${suffix}`, area: 'memory', severity: open >= files.most * FILES_VERY_NEAR ? 'critical' : 'warning',
      title: `The process uses file numbers up to ${count(open)} of ${count(files.most)} (${percent((open / files.most) * 100)})`,
      why: 'At the limit every new connection and every opened file fails with EMFILE, and requests fail with it.',
      advice: 'Look which kind of handle there is so many of, and close it when its work is done.\nRaise the limit of open files only when the app needs so many at once.', evidence: limitTable(report), mitigations: ['restart'],
    }];
  }
  if (files.most >= FEW_FILES) return [];
  return [{ id: `node-few-open-files${suffix}`, area: 'memory', severity: 'warning', title: `The process may open ${plural(files.most, 'file')} at once`, why: 'A connection takes one each, to clients and to databases: a burst of requests ends in EMFILE.', advice: 'Raise the limit of open files (`ulimit -n`) to 4,096 or more.', evidence: limitTable(report), mitigations: [] }];
}

function small(report: NodeReport, suffix: string): Finding[] {
  const found: Finding[] = [];
  const stack = limit(report, 'stack_size_bytes');
  if (stack.known && stack.most < SMALL_STACK_BYTES) found.push({ id: `node-small-stack${suffix}`, area: 'memory', severity: 'warning', title: `The stack of the process may have ${bytes(stack.most)}`, why: 'V8 counts on about 1 MiB: deep calls end the process with a segmentation fault instead of a RangeError.', advice: 'Raise the limit of the stack (`ulimit -s`) to 8,192 KB.', evidence: limitTable(report), mitigations: [] });
  const core = limit(report, 'core_file_size_blocks');
  if (core.known && core.most === 0) found.push({ id: `node-no-core${suffix}`, area: 'collection', severity: 'info', title: 'A crash of this process leaves no core', why: 'Its limit of the size of a core is 0.', advice: 'To read a crash afterwards, set `ulimit -c unlimited` before the start, or use a rule that watches for the crash.', evidence: [], mitigations: [] });
  return found;
}

function waiting(report: NodeReport, suffix: string): Finding[] {
  const slow = (report.libuv ?? []).filter(({ writeQueueSize = 0 }) => writeQueueSize >= MUCH_WAITING_BYTES);
  if (slow.length === 0) return [];
  const all = slow.reduce((sum, { writeQueueSize = 0 }) => sum + writeQueueSize, 0);
  return [{
    id: `node-writes-waiting${suffix}`, area: 'memory', severity: 'warning', title: `${bytes(all)} wait to be written in ${plural(slow.length, 'handle')}`,
    why: 'The other side reads slower than the app writes: what waits is kept in memory outside the JavaScript heap.', advice: 'Write with backpressure: `stream.pipeline`, or wait for `drain` when `write` returns false.',
    evidence: [{ kind: 'table', title: 'Handles with much to write', columns: [{ title: 'Kind', unit: 'code' }, { title: 'Waiting', unit: 'bytes' }], rows: slow.slice(0, 15).map(({ type, writeQueueSize = 0 }) => [oneLine(type, 40), writeQueueSize]) }], mitigations: [],
  }];
}

function limitTable(report: NodeReport): Evidence[] {
  const rows = Object.entries(report.userLimits ?? {}).slice(0, 20).map(([name, { soft, hard }]) => [oneLine(name.replaceAll('_', ' '), 40), oneLine(String(soft ?? '?'), 20), oneLine(String(hard ?? '?'), 20)]);
  return [{ kind: 'table', title: 'Limits of the process', columns: [{ title: 'Limit', unit: 'code' }, { title: 'Soft', unit: 'code' }, { title: 'Hard', unit: 'code' }], rows }];
}
