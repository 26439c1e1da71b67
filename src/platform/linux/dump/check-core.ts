// Owns how large a core will be, and whether a file is a whole one.
import { open } from 'node:fs/promises';
import { DiagError } from '../../../shared/errors.ts';
import { HEADER_BYTES, overflows, parseCoreHeader, parseSegments, segmentsOf } from '../../parse/elf.ts';
import { coreBytes } from '../../parse/proc-text.ts';
import { readText } from '../read.ts';
import { PAGE_BYTES } from '../usage.ts';

/** Notes of all threads, headers, and the read-only pages of libraries that the loader has written (3 MB for Node, counted by gdb and not by us). */
const NOTES_BYTES = 16 * 1024 * 1024;
const RESERVED = /^\S+ ---.*$/gm;

/** Bytes a core of this process takes at most; undefined when its mappings cannot be read. Our own writer leaves out what nobody may access: of that, Node 22 reserves 10 GiB for one WebAssembly memory. gcore writes it as zeros. */
export function estimateCore(pid: number, byUs: boolean): number | undefined {
  const maps = readText(`/proc/${pid}/maps`);
  if (maps === undefined || maps === '') return undefined;
  const resident = Number((readText(`/proc/${pid}/statm`) ?? '').split(' ')[1] ?? 0) * PAGE_BYTES;
  return Math.max(coreBytes(byUs ? maps.replace(RESERVED, '') : maps), resident) + NOTES_BYTES;
}

/** Size of the file when it is a whole core. @throws DUMP_FAILED */
export async function checkCore(pid: number, path: string): Promise<number> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw new DiagError('DUMP_FAILED', { pid, why: 'no file was written; the process may have ended' }, { cause: error });
  }
  try {
    const { size } = await file.stat();
    if (size === 0) throw new DiagError('DUMP_FAILED', { pid, why: 'no file was written; the process may have ended' });
    const shape = parseCoreHeader((await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)).buffer);
    if (typeof shape === 'string') throw new DiagError('DUMP_FAILED', { pid, why: `the file is not a core: ${shape}` });
    const section = overflows(shape) ? (await file.read(Buffer.alloc(64), 0, 64, shape.sectionsAt)).buffer : undefined;
    const segments = segmentsOf(shape, section);
    const table = (await file.read(Buffer.alloc(segments * shape.entryBytes), 0, segments * shape.entryBytes, shape.tableAt)).buffer;
    const { endBytes, notes, loads } = parseSegments(table, shape, segments);
    if (notes === 0 || loads === 0) throw new DiagError('DUMP_FAILED', { pid, why: 'the core holds no threads or no memory' });
    if (endBytes > size) throw new DiagError('DUMP_FAILED', { pid, why: `the core is cut: ${size} of ${endBytes} bytes are there; the disk may be full` });
    return size;
  } finally {
    await file.close();
  }
}
