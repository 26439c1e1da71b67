// Owns the reading of what a dying process left, as evidence: a memory dump's death and exception, and the report that Node writes when it dies.
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import type { ArtifactReader } from '../contracts.ts';
import { readDumpFile } from '../dump/read-dump.ts';
import { readAll } from '../parse/json-artifacts.ts';
import { oneLine, shortFile } from '../parse/words.ts';
import { readOnce } from '../read-once.ts';
import type { DeathEvent } from './event.ts';

/** A session has one or two; each more costs seconds. */
const MAX_DUMPS = 4;

export async function deathsOf(dumps: readonly ArtifactReader[], reports: readonly ArtifactReader[] | undefined, cancel: AbortSignal): Promise<readonly DeathEvent[]> {
  const found: DeathEvent[] = [];
  for (const reader of dumps.slice(0, MAX_DUMPS)) {
    cancel.throwIfAborted();
    const death = await ofDump(reader, cancel);
    if (death) found.push(death);
  }
  return [...found, ...await ofReports(reports)];
}

/** The very options of the judgement of dumps, so that the file is read once for both. */
async function ofDump(reader: ArtifactReader, signal: AbortSignal): Promise<DeathEvent | undefined> {
  const { path } = reader;
  if (path === undefined) return undefined;
  try {
    const dump = await readOnce('dump', path, () => readDumpFile(path, { files: true, signal }));
    if (dump.death === undefined) return undefined;
    const exception = dump.javascript?.exception;
    const place = dump.javascript?.stack.find((frame) => frame.file !== undefined && !frame.file.startsWith('node:'));
    const at = place?.file === undefined ? '' : ` at ${shortFile(place.file)}${place.line === undefined ? '' : `:${place.line}`}`;
    return {
      pid: dump.process.pid, at: dump.process.takenAt, thrown: exception !== undefined, signal: dump.death.name.startsWith('SIG') ? dump.death.name : `0x${(dump.death.code >>> 0).toString(16)}`,
      said: exception === undefined ? `${dump.death.name}${dump.death.place === undefined ? '' : ` in ${oneLine(dump.death.place, 100)}`}${at}` : `${oneLine(exception.name, 60)}: ${oneLine(exception.message, 120)}${at}`,
      proof: { where: oneLine(reader.ref.name, 120), line: oneLine(dump.death.meaning, 300) },
    };
  } catch (error) {
    if (error instanceof DiagError && error.code === 'DUMP_UNREADABLE') return undefined;   // told by the judgement of dumps
    throw error;
  }
}

const DeathReport = z.object({
  header: z.object({ processId: z.number().optional(), trigger: z.string().optional(), dumpEventTimeStamp: z.string().optional(), event: z.string().optional() }).loose(),
  javascriptStack: z.object({ message: z.string().optional(), stack: z.array(z.string()).optional() }).loose().optional(),
});

/** An error as V8 prints it, somewhere in the lines of the stack. */
const ERROR = /^(?:Uncaught )?[A-Z]\w*(?:Error|Exception)\b/;

/** Written with --report-uncaught-exception and --report-on-fatalerror; reports that were asked for tell of the living. */
async function ofReports(readers: readonly ArtifactReader[] | undefined): Promise<DeathEvent[]> {
  return (await readAll(readers, DeathReport)).files.flatMap(({ header, javascriptStack }): DeathEvent[] => {
    const { trigger } = header;
    if (trigger !== 'Exception' && trigger !== 'FatalError' && trigger !== 'OOMError') return [];
    const at = Number(header.dumpEventTimeStamp ?? NaN);
    const said = [javascriptStack?.message ?? '', ...javascriptStack?.stack ?? [], header.event ?? ''].find((line) => ERROR.test(line.trim())) ?? header.event;
    return [{ pid: header.processId, at: Number.isFinite(at) ? at : undefined, thrown: trigger === 'Exception', signal: trigger === 'Exception' ? undefined : 'SIGABRT', said: said === undefined ? undefined : oneLine(said.trim(), 200), proof: { where: 'Node\'s report of its end' } }];
  });
}
