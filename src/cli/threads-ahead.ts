// Owns the look at a command line before it is understood: large logs are named, so threads that read them start while the program is loaded.
import { statSync } from 'node:fs';
import { HELP_ALONE_BELOW_BYTES, THREADS } from '../observe/http-log/scan/contract.ts';
import type { SpareThreads } from '../observe/http-log/scan/contract.ts';

/** Packed logs are read by one thread; of a window of time it is not known yet whether it is large. */
const PACKED = /\.(gz|zip)$/i, WINDOW = /^--(from|to)\b/;

/** A guess that costs little when it is wrong: who is given threads ends them, used or not. */
export async function threadsAhead(args: readonly string[]): Promise<SpareThreads | undefined> {
  if (args.some((arg) => WINDOW.test(arg))) return undefined;
  const bytes = args.filter((arg) => !arg.startsWith('-') && !PACKED.test(arg)).reduce((sum, path) => sum + sizeOf(path), 0);
  if (bytes < HELP_ALONE_BELOW_BYTES) return undefined;
  // Loaded where threads start: it costs the start.
  const { spareThreads } = await import('../observe/http-log/scan/spare.ts');
  return spareThreads(THREADS - 1);
}

function sizeOf(path: string): number {
  try {
    const seen = statSync(path, { throwIfNoEntry: false });
    return seen?.isFile() === true ? seen.size : 0;
  } catch {
    // What is wrong with it is said when it is read.
    return 0;
  }
}
