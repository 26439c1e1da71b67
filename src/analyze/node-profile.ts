// Owns what the profiles of Node have in common: for how long, under which name, by the preload or by the inspector, and that "enough" keeps nothing of a half one.
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { duration } from '../shared/units.ts';
import type { Inspector } from '../platform/inspector.ts';
import { askIntoFile, byPreload } from './by-preload.ts';
import type { Collecting } from './contracts.ts';
import { theTarget } from './target.ts';

export const SECONDS = 20;
const MAX_SECONDS = 300;
/** A profile has some KB a second; an app of many deep stacks some hundred. */
const NEED_BYTES = 32 * 1024 * 1024;

export const ProfileOptions = z.strictObject({ seconds: z.number().int().min(1).max(MAX_SECONDS).default(SECONDS).describe('How many seconds') });

type Profile = (inspector: Inspector, forMs: number, signal: AbortSignal) => Promise<string>;

export async function collectProfile(run: Collecting<z.infer<typeof ProfileOptions>>, kind: 'cpu-profile' | 'heap-profile', profile: Profile): Promise<void> {
  const target = theTarget(run);
  const { seconds } = run.options;
  const forMs = seconds * 1_000;
  const draft = await run.artifacts.draft(kind, `${target.name.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 40) || 'process'}-${target.pid}.${kind === 'cpu-profile' ? 'cpuprofile' : 'heapprofile'}`, NEED_BYTES);
  try {
    run.progress(`profiling process ${target.pid} for ${duration(forMs)}`);
    const stop = AbortSignal.any([run.cancel, run.enough]);
    const { way } = await byPreload(run, () => askIntoFile(run, { what: kind, forS: seconds }, draft.path, stop), async () => {
      const text = await run.platform.inspect({ pid: target.pid, startedAt: target.startedAt }, stop, (inspector) => profile(inspector, forMs, stop));
      await writeFile(draft.path, text);
      return { sizeBytes: Buffer.byteLength(text), firstAfterMs: undefined };
    });
    await draft.commit({ note: `${duration(forMs)} of the process, ${way}; not masked: it holds names of functions and files` });
  } finally {
    await draft.discard();
  }
}
