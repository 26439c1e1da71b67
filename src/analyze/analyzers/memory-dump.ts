// Owns the judgement of memory dumps: why the process died and where, which JavaScript ran, and what fills its memory.
import type { DumpRead } from '../../shared/dump-read.ts';
import { AREA_WORDS, frameText, isOwnCode, isOwnFrame, jsText, processTitle } from '../../shared/dump-text.ts';
import { DiagError } from '../../shared/errors.ts';
import type { Evidence, Finding } from '../../shared/model.ts';
import { bytes, count, plural } from '../../shared/units.ts';
import type { Analyzer, ArtifactReader } from '../contracts.ts';
import { inside } from '../dump/inside.ts';
import { readDumpFile } from '../dump/read-dump.ts';
import { readOnce } from '../read-once.ts';
import { oneLine, shareText, shortFile } from '../parse/words.ts';

const FRAMES_TOLD = 40;
const TEXTS_TOLD = 8;
const AREAS_TOLD = 10;

export const memoryDump: Analyzer = {
  id: 'memory-dump',
  title: 'Memory dump',
  needs: [],
  needsOne: ['core-dump', 'minidump'],
  uses: ['core-dump', 'minidump'],
  async analyze(given, _about, cancel) {
    const dumps = [...(given['core-dump'] ?? []), ...(given.minidump ?? [])];
    const findings: Finding[] = [];
    for (const [index, one] of dumps.entries()) findings.push(...await judged(one, index === 0 ? '' : `-${index + 1}`, cancel));
    return findings;
  },
};

async function judged(reader: ArtifactReader, suffix: string, cancel: AbortSignal): Promise<Finding[]> {
  if (reader.path === undefined) return [unread(reader, suffix, 'it lies only in memory')];
  try {
    const { path } = reader;
    const dump = await readOnce('dump', path, () => readDumpFile(path, { files: true, signal: cancel }));
    return [...(dump.death === undefined ? [] : [died(dump, reader, suffix)]), ...(dump.javascript === undefined ? [] : [ran(dump, suffix)]), filled(dump, suffix), inside(dump, suffix)];
  } catch (error) {
    if (error instanceof DiagError && error.code === 'DUMP_UNREADABLE') return [unread(reader, suffix, String(error.facts['why']))];
    throw error;
  }
}

function unread(reader: ArtifactReader, suffix: string, why: string): Finding {
  return { id: `dump-not-read${suffix}`, area: 'collection', severity: 'cannot-tell', title: `The memory dump ${oneLine(reader.ref.name)} cannot be read`, why: `${why}.`, advice: 'Take the dump again; where the disk was full, make room first.', evidence: [{ kind: 'artifact', ref: reader.ref }], mitigations: [] };
}

function died(dump: DumpRead, reader: ArtifactReader, suffix: string): Finding {
  const death = dump.death as NonNullable<DumpRead['death']>;
  const exception = dump.javascript?.exception;
  const place = dump.javascript?.stack.find((frame) => frame.file !== undefined && !frame.file.startsWith('node:')) ?? undefined;
  const what = exception === undefined ? `${death.name}${death.place === undefined ? '' : ` in ${oneLine(death.place, 100)}`}` : `${oneLine(exception.name, 60)}: ${oneLine(exception.message, 120)}`;
  return {
    id: `dump-process-died${suffix}`, area: 'application', severity: 'critical',
    title: `${processTitle(dump)} died of ${what}${exception !== undefined && place?.line !== undefined ? ` at ${shortFile(place.file as string)}:${place.line}` : ''}`,
    why: `${death.name}: ${oneLine(death.meaning, 300)}.${death.address === undefined ? '' : ` The address was ${death.address}.`} Requests in flight on it failed.`,
    advice: place === undefined ? 'Look at the first frames that are not of the runtime: there the fault began.' : `Look at ${shortFile(place.file as string)}${place.line === undefined ? '' : `, line ${place.line}`}: there the app's own code was when it died.`,
    evidence: [...nativeStack(dump), ...said(dump, reader)], mitigations: [],
  };
}

function nativeStack(dump: DumpRead): Evidence[] {
  const [thread] = dump.threads;
  if (thread === undefined || thread.frames.length === 0) return [];
  return [{ kind: 'stack', title: `Stack of thread ${thread.id}${thread.name === undefined ? '' : ` (${oneLine(thread.name, 60)})`}`, frames: thread.frames.slice(0, FRAMES_TOLD).map((frame) => ({ text: frameText(frame), ...(isOwnFrame(frame) ? { ours: true } : {}) })) }];
}

function ran(dump: DumpRead, suffix: string): Finding {
  const js = dump.javascript as NonNullable<DumpRead['javascript']>;
  const shared = { id: `dump-javascript${suffix}`, area: 'application' as const, advice: '', mitigations: [] };
  if (!js.understood) return { ...shared, id: `dump-javascript-unknown${suffix}`, severity: 'cannot-tell', title: `Which JavaScript ran in ${processTitle(dump)} cannot be told from the dump`, why: `${oneLine(js.why ?? 'its version is not understood', 300)}.`, evidence: [] };
  const heap = js.heapBytes === undefined ? '' : ` Its heap spans ${bytes(js.heapBytes)}.`;
  const [top] = js.stack;
  if (top === undefined) return { ...shared, severity: 'info', title: `No JavaScript was running in ${processTitle(dump)}: its event loop waited`, why: `${js.runtime}.${heap}`, evidence: [] };
  const thrown = js.exception === undefined ? '' : `, throwing ${oneLine(js.exception.name, 60)}`;
  return {
    ...shared, severity: 'info', title: `${processTitle(dump)} was in ${jsText(top)}${thrown}`, why: `${js.runtime}.${heap} Functions that V8 built into others have no frame of their own.`,
    evidence: [{ kind: 'stack', title: `JavaScript stack of the main thread (${plural(js.stack.length, 'frame')})`, frames: js.stack.slice(0, FRAMES_TOLD).map((frame) => ({ text: jsText(frame), ...(frame.file !== undefined && isOwnCode(frame.file) ? { ours: true } : {}) })) },
      ...(js.exception === undefined ? [] : [{ kind: 'table' as const, title: 'Exception', columns: [{ title: 'Class', unit: 'code' as const }, { title: 'Message', unit: 'text' as const }], rows: [[oneLine(js.exception.name, 100), oneLine(js.exception.message, 1_000)]] }])],
  };
}

function filled(dump: DumpRead, suffix: string): Finding {
  const { memory } = dump;
  const own = memory.byKind.filter((one) => one.kind !== 'system' && one.kind !== 'code' && one.kind !== 'file');
  const [most] = [...own].sort((a, b) => b.filled - a.filled);
  const all = own.reduce((sum, one) => sum + one.filled, 0);
  return {
    id: `dump-memory${suffix}`, area: 'memory', severity: 'info',
    title: most === undefined ? `The dump of ${processTitle(dump)} holds ${bytes(memory.stored)}` : `${AREA_WORDS[most.kind]} is the largest part of the memory of ${processTitle(dump)}: ${bytes(most.filled)} of ${bytes(all)} (${shareText(most.filled, all)})`,
    why: `${count(dump.threads.length)} threads, ${count(dump.modules.length)} modules, ${bytes(memory.bytes)} mapped; the dump holds ${bytes(memory.stored)} of it.${dump.notes.length === 0 ? '' : ` ${oneLine(dump.notes.join('; '), 400)}.`}`, advice: '',
    evidence: [
      { kind: 'table', title: 'Memory by kind', columns: [{ title: 'Kind', unit: 'text' }, { title: 'Areas', unit: 'count' }, { title: 'Mapped', unit: 'bytes' }, { title: 'In the dump', unit: 'bytes' }, { title: 'Filled, about', unit: 'bytes' }], rows: memory.byKind.map((one) => [AREA_WORDS[one.kind], one.areas, one.bytes, one.stored, one.filled]) },
      { kind: 'table', title: 'The biggest areas', columns: [{ title: 'From', unit: 'code' }, { title: 'Mapped', unit: 'bytes' }, { title: 'Filled, about', unit: 'bytes' }, { title: 'Kind', unit: 'text' }, { title: 'What a look into it shows', unit: 'text' }], rows: memory.biggest.slice(0, AREAS_TOLD).map((one) => [one.from, one.bytes, one.filled, one.name === undefined ? AREA_WORDS[one.kind] : `${AREA_WORDS[one.kind]}: ${shortFile(one.name)}`, one.holds ?? null]), more: Math.max(0, memory.biggest.length + (memory.more ?? 0) - AREAS_TOLD) },
    ], mitigations: [],
  };
}

function said(dump: DumpRead, reader: ArtifactReader): Evidence[] {
  const texts = dump.texts.slice(0, TEXTS_TOLD);
  return [...(texts.length === 0 ? [] : [{ kind: 'table' as const, title: 'Texts in its memory that look like errors', columns: [{ title: 'Text', unit: 'text' as const }, { title: 'Times', unit: 'count' as const }], rows: texts.map((one) => [oneLine(one.text, 400), one.times]), more: dump.texts.length - texts.length }]), { kind: 'artifact', ref: reader.ref }];
}
