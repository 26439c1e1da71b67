// Owns the figures of sampling on Windows for the bench: the real Windows Node under wine, with as many idle processes as on Linux.
import { join } from 'node:path';
import { bundleFor } from '../../test/support/windows.ts';
import { noWine, openWine } from '../../test/support/wine.ts';

export interface WindowsCost { readonly name: string; readonly msPerPass: number }

/** Elapsed time, not processor time: under wine its server does a large part of the work, on Windows the kernel does. Undefined where there is no wine. */
export async function samplingOnWindows(processes: number): Promise<readonly WindowsCost[] | undefined> {
  if (noWine() !== undefined) return undefined;
  const wine = await openWine();
  const folder = await wine.stage('bench');
  try {
    await bundleFor(join(import.meta.dirname, 'sampling-windows-main.ts'), join(folder.linux, 'bench.cjs'));
    const ran = await wine.run([`${folder.windows}\\bench.cjs`, String(processes)], { env: { TOP: folder.windows } });
    const line = ran.stdout.split('\n').find((one) => one.startsWith('result '));
    if (line === undefined) throw new Error(`the bench on Windows ended with ${ran.code}: ${ran.stderr}`);
    return JSON.parse(line.slice(7)) as WindowsCost[];
  } finally {
    await folder.remove();
  }
}
