// Owns `diag dump-read`: what a memory dump tells, in the order in which one asks.
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DumpRead, DumpThread } from '../../shared/dump-read.ts';
import { frameText, jsText } from '../../shared/dump-text.ts';
import { DiagError } from '../../shared/errors.ts';
import { bytes, count, plural, utc } from '../../shared/units.ts';
import { colour, print, printJson, safeLine, table } from '../print.ts';
import { stop } from '../until.ts';

const FRAMES_PRINTED = 60;
const AREAS_PRINTED = 12;

export async function dumpRead(given: string, options: { readonly json?: boolean; readonly threads?: boolean; readonly files: boolean }): Promise<void> {
  const path = resolve(given);
  if (!existsSync(path) || !statSync(path).isFile()) throw new DiagError('NOT_FOUND', { path });
  const { readDumpFile } = await import('../../analyze/dump/read-dump.ts');
  const dump = await readDumpFile(path, { files: options.files, signal: stop });
  if (options.json) { printJson(dump); return; }
  head(dump);
  javascript(dump);
  for (const thread of options.threads ? dump.threads : dump.threads.slice(0, 1)) stack(thread);
  if (!options.threads) otherThreads(dump);
  memory(dump);
  rest(dump);
}

function head(dump: DumpRead): void {
  const { process: one, death } = dump;
  print(`${colour('bold', safeLine(one.name ?? 'process'))}${one.pid === undefined ? '' : ` ${one.pid}`}, ${safeLine(one.system)}, ${dump.format === 'core' ? 'ELF core' : 'minidump'} of ${bytes(dump.bytes)}${one.takenAt === undefined ? '' : `, taken ${utc(one.takenAt)}`}`);
  if (one.commandLine !== undefined) print(safeLine(one.commandLine));
  print();
  if (death === undefined) print('It was alive when the dump was taken.');
  else print(`${colour('red', `Died of ${safeLine(death.name)}`)}: ${safeLine(death.meaning)}${death.address === undefined ? '' : `, address ${death.address}`}${death.place === undefined ? '' : `, in ${safeLine(death.place)}`}.`);
}

function javascript(dump: DumpRead): void {
  const js = dump.javascript;
  if (js === undefined) return;
  if (js.exception !== undefined) print(`Exception: ${safeLine(js.exception.name)}: ${safeLine(js.exception.message)}`);
  print();
  print(colour('bold', `JavaScript, ${safeLine(js.runtime)}${js.heapBytes === undefined ? '' : `, heap ${bytes(js.heapBytes)}`}`));
  if (js.why !== undefined) print(`  ${js.understood ? '' : 'not read: '}${safeLine(js.why)}`);
  for (const frame of js.stack.slice(0, FRAMES_PRINTED)) print(`  ${safeLine(jsText(frame))}`);
}

function stack(thread: DumpThread): void {
  print();
  print(colour('bold', `Thread ${thread.id}${thread.name === undefined ? '' : ` ${safeLine(thread.name)}`}`));
  if (thread.note !== undefined) print(`  ${safeLine(thread.note)}`);
  thread.frames.slice(0, FRAMES_PRINTED).forEach((frame, i) => { print(`  ${String(i).padStart(2)} ${safeLine(frameText(frame))}`); });
  const more = thread.frames.length - FRAMES_PRINTED + (thread.more ?? 0);
  if (more > 0) print(`     and ${count(more)} more`);
}

function otherThreads(dump: DumpRead): void {
  const others = dump.threads.slice(1);
  if (others.length === 0) return;
  print();
  print(table(['Thread', 'Name', 'Stands in'], others.map((one) => [String(one.id), safeLine(one.name ?? ''), one.frames[0] === undefined ? '' : safeLine(frameText(one.frames[0]))]), [0]));
}

function memory(dump: DumpRead): void {
  print();
  print(table(['Memory', 'Areas', 'Mapped', 'In the dump', 'Filled'], dump.memory.byKind.map((one) => [one.kind, count(one.areas), bytes(one.bytes), bytes(one.stored), bytes(one.filled)]), [1, 2, 3, 4]));
  print();
  print(table(['Biggest', 'Mapped', 'Filled', 'Kind', 'Holds'], dump.memory.biggest.slice(0, AREAS_PRINTED).map((one) => [one.from, bytes(one.bytes), bytes(one.filled), `${one.kind}${one.name === undefined ? '' : ` ${safeLine(one.name)}`}`, one.holds ?? '']), [1, 2]));
}

function rest(dump: DumpRead): void {
  print();
  print(`${plural(dump.modules.length, 'module')}, ${plural(dump.environment.length, 'variable')} of the environment${dump.handles === undefined ? '' : `, ${plural(dump.handles.total, 'handle')}`} (--json lists them).`);
  if (dump.texts.length > 0) { print(); print(table(['Times', 'Texts that look like errors'], dump.texts.map((one) => [count(one.times), safeLine(one.text)]), [0])); }
  for (const note of dump.notes) print(`note: ${safeLine(note)}`);
}
