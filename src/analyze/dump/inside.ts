// Owns what a report tells of the inside of a dump: its threads, the stacks that differ, its modules, the environment of its start.
import type { DumpRead, DumpThread } from '../../shared/dump-read.ts';
import { frameText, isOwnFrame, line, processTitle, standsIn, threadTitle } from '../../shared/dump-text.ts';
import type { Evidence, Finding } from '../../shared/model.ts';
import { plural } from '../../shared/units.ts';

const FRAMES_TOLD = 25;
const STACKS_TOLD = 8;
const THREADS_TOLD = 60;
const MODULES_TOLD = 80;
const VARIABLES_TOLD = 150;

type Table = Extract<Evidence, { kind: 'table' }>;

/** The first thread's stack stands in another finding. */
export function inside(dump: DumpRead, suffix: string): Finding {
  const stacks = different(dump.threads);
  return {
    id: `dump-threads${suffix}`, area: 'process', severity: 'info',
    title: `${processTitle(dump)} had ${plural(dump.threads.length, 'thread')}, ${stacks.length + 1 === dump.threads.length || dump.threads.length < 2 ? 'each at a place of its own' : `standing at ${plural(stacks.length + 1, 'place')}`}`,
    why: `${plural(dump.modules.length, 'module')} and ${plural(dump.environment.length, 'variable')} of its environment; values of secrets are masked.`, advice: '',
    evidence: [
      rows('Threads', [['Thread', 'count'], ['Name', 'text'], ['Frames', 'count'], ['Stands in', 'code']], dump.threads.map((one) => [one.id, one.died === true ? `${one.name ?? ''} (died)`.trim() : one.name ?? null, one.frames.length + (one.more ?? 0), standsIn(one)]), THREADS_TOLD),
      ...stacks.slice(0, STACKS_TOLD).map(({ thread, alike }): Evidence => ({ kind: 'stack', title: `${threadTitle(thread)}${alike > 0 ? ` and ${alike} alike` : ''}`, frames: thread.frames.slice(0, FRAMES_TOLD).map((frame) => ({ text: frameText(frame), ...(isOwnFrame(frame) ? { ours: true } : {}) })) })),
      rows('Modules', [['Module', 'text'], ['From', 'code'], ['Size', 'bytes'], ['Version or build id', 'code'], ['Note', 'text']], dump.modules.map((one) => [line(one.path), one.from, one.bytes, one.version ?? one.buildId?.slice(0, 16) ?? null, one.note ?? null]), MODULES_TOLD),
      ...(dump.environment.length === 0 ? [] : [rows('Environment', [['Variable', 'code'], ['Value', 'text']], dump.environment.map((one) => [line(one.name), line(one.value, 400)]), VARIABLES_TOLD)]),
    ], mitigations: [],
  };
}

function rows(title: string, columns: readonly (readonly [string, Table['columns'][number]['unit']])[], all: Table['rows'], told: number): Table {
  return { kind: 'table', title, columns: columns.map(([name, unit]) => ({ title: name, unit })), rows: all.slice(0, told), ...(all.length > told ? { more: all.length - told } : {}) };
}

/** One of each stack, without the first thread's: threads of a pool stand alike. */
function different(threads: readonly DumpThread[]): { thread: DumpThread; alike: number }[] {
  const first = threads[0] === undefined ? '' : key(threads[0]);
  const kept = new Map<string, { thread: DumpThread; alike: number }>();
  for (const thread of threads.slice(1)) {
    const known = kept.get(key(thread));
    if (known !== undefined) known.alike += 1;
    else if (key(thread) !== first) kept.set(key(thread), { thread, alike: 0 });
  }
  return [...kept.values()].filter(({ thread }) => thread.frames.length > 0);
}

const key = (thread: DumpThread): string => thread.frames.map((frame) => frame.pc).join();
