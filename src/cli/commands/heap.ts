// Owns `diag heap`: who holds the memory of a JavaScript heap, in the order in which one asks.
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import type { HeapReport, HeapStep } from '../../shared/heap.ts';
import { bytes, count, percent, plural } from '../../shared/units.ts';
import { clearLine, showLine } from '../live-line.ts';
import { exitCode } from '../exit.ts';
import { colour, print, printJson, safeLine, table } from '../print.ts';
import { stop } from '../until.ts';

const ROWS = 15;
const SUSPECTS = 5;
/** A base and one between: growth must go on in the second half. */
const MOST_BASES = 2;

export async function heap(given: string, options: { readonly base?: readonly string[]; readonly json?: boolean }): Promise<void> {
  const path = file(given);
  const bases = (options.base ?? []).map(file);
  if (bases.length > MOST_BASES) throw new DiagError('BAD_INPUT', { why: `at most ${MOST_BASES} --base can be compared with` });
  const { heapReportInThread } = await import('../../analyze/heap/thread.ts');
  let report: HeapReport;
  try {
    report = await heapReportInThread({ path, bases }, stop, (fraction) => { if (options.json !== true) showLine(`read ${Math.round(fraction * 100)} %`); });
  } finally {
    clearLine();
  }
  if (options.json === true) printJson(report); else show(report);
  if (report.suspects.some((one) => one.sign === 'grew')) exitCode(1);
}

function file(given: string): string {
  const path = resolve(given);
  if (!existsSync(path) || !statSync(path).isFile()) throw new DiagError('NOT_FOUND', { path });
  return path;
}

function show(report: HeapReport): void {
  print(`${colour('bold', safeLine(report.file))}: ${bytes(report.bytes)} in ${plural(report.nodes, 'object')} with ${plural(report.edges, 'reference')}`);
  for (const note of report.notes) print(colour('red', `Not all of it could be read: ${safeLine(note)}.`));
  const { growth } = report;
  if (growth !== undefined) print(`Since ${safeLine(growth.base)} ${bytes(growth.grownBytes)} came that did not go.`);
  print();
  suspects(report);
  print();
  print(table(['Class', 'Objects', 'Shallow', 'Retained'], report.classes.slice(0, ROWS).map((one) => [safeLine(one.name).slice(0, 60), count(one.count), bytes(one.shallow), bytes(one.retained)]), [1, 2, 3]));
  print();
  print(table(['Largest', 'Retained', 'Of all', 'Way'], report.largest.slice(0, ROWS).map((one) => [safeLine(one.name).slice(0, 40), bytes(one.retained), percent(one.share * 100), safeLine(way(one.path)).slice(0, 100)]), [1, 2]));
  rest(report);
}

function suspects(report: HeapReport): void {
  if (report.suspects.length === 0) { print(report.growth === undefined ? 'No object stands out as the holder of much.' : 'Nothing of the program grew enough to be called a leak.'); return; }
  for (const [index, one] of report.suspects.slice(0, SUSPECTS).entries()) {
    print(`${index + 1}. ${colour(one.sign === 'grew' ? 'red' : 'bold', safeLine(one.title))} (${percent(one.share * 100)})`);
    if (one.place !== undefined) print(`   ${safeLine(one.place.script)}:${one.place.line}${one.exact ? '' : ' is the function or class that sees it'}`);
    if (one.made !== undefined) print(`   made in ${safeLine(one.made.name) || 'a function'}, ${safeLine(one.made.place.script)}:${one.made.place.line}`);
    if (index === 0) print(`   kept by ${safeLine(way(one.path))}`);
  }
  if (report.growth === undefined) print('One snapshot does not tell a cache from a leak: --base names an earlier one.');
}

function way(path: readonly HeapStep[]): string {
  return path.map((step) => (step.edge === '' ? step.node : `${step.edge}: ${step.node}`)).join(' > ');
}

function rest(report: HeapReport): void {
  const { strings, timers, promises, contexts, buffers, parts } = report;
  print();
  print(`${plural(strings.count, 'string')}, ${bytes(strings.bytes)}, of which ${bytes(strings.duplicateBytes)} are copies. ${plural(report.functions.count, 'function')}. ${plural(timers.count, 'timer')}. ${plural(promises.count, 'promise')}, ${count(promises.awaited)} pending and waited for.`);
  print(`${plural(buffers.count, 'buffer')} with ${bytes(buffers.bytes)}. Native ${bytes(parts.native)}, compiled code ${bytes(parts.code)}. ${plural(contexts.detached, 'detached native object')}.`);
  if (report.emitters.length > 0) { print(); print(table(['Listeners', 'Event', 'Emitter'], report.emitters.slice(0, ROWS).map((one) => [count(one.listeners), safeLine(one.event).slice(0, 40), safeLine(one.holder ?? one.emitter)]), [0])); }
  if (report.growth !== undefined && report.growth.classes.length > 0) { print(); print(table(['Grown class', 'Objects', 'Shallow'], report.growth.classes.slice(0, ROWS).map((one) => [safeLine(one.name).slice(0, 60), count(one.count), bytes(one.shallow)]), [1, 2])); }
}
