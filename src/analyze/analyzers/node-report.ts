// Owns the judgement of Node's diagnostic report: how near the heap is to its limit, and what the process holds open; its limits are judged beside (node-limits.ts).
import { z } from 'zod';
import type { Evidence, Finding } from '../../shared/model.ts';
import { bytes, count, percent, plural } from '../../shared/units.ts';
import type { Analyzer } from '../contracts.ts';
import { limitsOf } from './node-limits.ts';
import { readAll, unreadableFinding } from '../parse/json-artifacts.ts';
import { byText, oneLine } from '../parse/words.ts';

/** From here on V8 collects garbage ever more often for ever less; at the limit it ends the process. */
const NEAR = 0.85;
const VERY_NEAR = 0.95;
const FRAMES_TOLD = 20;

/** What we read of it; everything else may be there or not, in any version of Node. */
export const NodeReport = z.object({
  header: z.object({ nodejsVersion: z.string().optional(), processId: z.number().optional(), trigger: z.string().optional() }).loose(),
  javascriptStack: z.object({ message: z.string().optional(), stack: z.array(z.string()).optional() }).loose().optional(),
  javascriptHeap: z.object({ usedMemory: z.number().optional(), memoryLimit: z.number().optional(), totalMemory: z.number().optional(), heapSizeLimit: z.number().optional() }).loose().optional(),
  libuv: z.array(z.object({ type: z.string(), is_active: z.boolean().optional(), is_referenced: z.boolean().optional(), fd: z.number().optional(), writeQueueSize: z.number().optional() }).loose()).optional(),
  nativeStack: z.array(z.object({ symbol: z.string().optional() }).loose()).optional().catch(undefined),
  userLimits: z.record(z.string(), z.object({ soft: z.union([z.number(), z.string()]).optional(), hard: z.union([z.number(), z.string()]).optional() }).loose()).optional().catch(undefined),
});
export type NodeReport = z.infer<typeof NodeReport>;

export const nodeReport: Analyzer = {
  id: 'node-report',
  title: 'Node diagnostic report',
  needs: ['node-report'],
  async analyze(given) {
    const { files, unreadable } = await readAll(given['node-report'], NodeReport);
    return [...files.flatMap((file, i) => [judged(file, i), ...limitsOf(file, i)]), ...unreadableFinding('node-report', 'memory', unreadable)];
  },
};

function judged(report: NodeReport, index: number): Finding {
  const heap = report.javascriptHeap;
  const used = heap?.usedMemory;
  const limit = heap?.heapSizeLimit ?? heap?.memoryLimit;      // Node before 20 says memoryLimit
  const pid = report.header.processId;
  const who = `Node ${report.header.nodejsVersion ?? ''}${pid === undefined ? '' : `, process ${pid}`}`.trim();
  const suffix = index === 0 ? '' : `-${index + 1}`;
  const evidence = [...handles(report), ...stack(report), ...nativeStack(report)];
  if (used === undefined || limit === undefined || limit <= 0) {
    return { id: `node-heap-unknown${suffix}`, area: 'memory', severity: 'cannot-tell', title: `The diagnostic report does not say how full the JavaScript heap is (${oneLine(who)})`, why: 'Used memory or the limit is missing in it.', advice: 'Diagnose again; a later version of Node writes both.', evidence, mitigations: [] };
  }
  const share = used / limit;
  const title = `The JavaScript heap holds ${bytes(used)} of its limit of ${bytes(limit)} (${percent(share * 100)})`;
  if (share < NEAR) return { id: `node-heap-has-room${suffix}`, area: 'memory', severity: 'good', title, why: `${oneLine(who)}: at the moment of the report the heap had room.`, advice: '', evidence, mitigations: [] };
  return {
    id: `node-heap-near-limit${suffix}`, area: 'memory', severity: share >= VERY_NEAR ? 'critical' : 'warning', title,
    why: `${oneLine(who)}. Near its limit V8 spends most of its time collecting garbage, everything becomes slow; at the limit it ends the process with "JavaScript heap out of memory".`,
    advice: 'Stop it now: a restart of the worker empties the heap, for as long as it takes to fill again.\nFind it: a heap snapshot shows what holds the memory; take it before the restart.\nRaise the limit with `--max-old-space-size` only when the app needs the memory and the instance has it.', evidence, mitigations: ['restart'],
  };
}

function handles(report: NodeReport): Evidence[] {
  const byType = new Map<string, { all: number; active: number }>();
  for (const handle of report.libuv ?? []) {
    const seen = byType.get(handle.type) ?? { all: 0, active: 0 };
    byType.set(handle.type, { all: seen.all + 1, active: seen.active + (handle.is_active === true ? 1 : 0) });
  }
  if (byType.size === 0) return [];
  const rows = [...byType].sort((a, b) => b[1].all - a[1].all || byText(a[0], b[0])).slice(0, 15);
  return [{ kind: 'table', title: `${plural((report.libuv ?? []).length, 'handle')} of the event loop`, columns: [{ title: 'Kind', unit: 'code' }, { title: 'Handles', unit: 'count' }, { title: 'Active', unit: 'count' }], rows: rows.map(([type, n]) => [oneLine(type, 40), n.all, n.active]) }];
}

function stack(report: NodeReport): Evidence[] {
  const frames = report.javascriptStack?.stack ?? [];
  if (frames.length === 0) return [];
  return [{ kind: 'stack', title: `JavaScript stack at that moment (${count(frames.length)} frames)`, frames: frames.slice(0, FRAMES_TOLD).map((frame) => frameOf(oneLine(frame, 300))) }];
}

function nativeStack(report: NodeReport): Evidence[] {
  const frames = (report.nativeStack ?? []).flatMap(({ symbol }) => (symbol === undefined || symbol.trim() === '' ? [] : [oneLine(symbol.trim(), 300)]));
  return frames.length === 0 ? [] : [{ kind: 'stack', title: `Native stack at that moment (${count(frames.length)} frames)`, frames: frames.slice(0, FRAMES_TOLD).map((text) => ({ text })) }];
}

function frameOf(text: string): { text: string; ours?: boolean } {
  return /node:|node_modules|internal\/|<anonymous>$/.test(text) || !/[\\/]/.test(text) ? { text } : { text, ours: true };
}
