// Owns the question what a dump file is, and its reading with whatever reader fits.
import type { DumpRead } from '../../shared/dump-read.ts';
import { FileBytes, type Bytes } from './bytes.ts';
import { unreadable } from './core.ts';
import { readElfCore, type ReadOptions } from './read-core.ts';
import { readMinidump } from './read-minidump.ts';

/** @throws DUMP_UNREADABLE, and what opening the file throws */
export async function readDumpFile(path: string, options: ReadOptions): Promise<DumpRead> {
  const bytes = new FileBytes(path);
  try {
    return await readDump(bytes, options);
  } finally {
    bytes.close();
  }
}

export async function readDump(bytes: Bytes, options: ReadOptions): Promise<DumpRead> {
  const magic = bytes.read(0, 4)?.toString('latin1');
  if (magic === 'MDMP') return await readMinidump(bytes, options);
  if (magic === '\u007fELF') return await readElfCore(bytes, options);
  throw unreadable('it begins neither as an ELF core nor as a minidump');
}
