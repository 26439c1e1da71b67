// Owns what the profiles of Node have in common: for how long, under which name, and that "enough" keeps nothing of a half one.
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { duration } from '../shared/units.ts';
import type { Inspector } from '../platform/inspector.ts';
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
  const forMs = run.options.seconds * 1_000;
  await run.demand('A profile', NEED_BYTES);
  run.progress(`profiling process ${target.pid} for ${duration(forMs)}`);
  const stop = AbortSignal.any([run.cancel, run.enough]);
  const text = await run.platform.inspect({ pid: target.pid, startedAt: target.startedAt }, stop, (inspector) => profile(inspector, forMs, stop));
  const draft = await run.artifacts.draft(kind, `${target.name.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 40) || 'process'}-${target.pid}.${kind === 'cpu-profile' ? 'cpuprofile' : 'heapprofile'}`, Buffer.byteLength(text));
  try {
    await writeFile(draft.path, text);
    await draft.commit({ note: `${duration(forMs)} of the process; not masked: it holds names of functions and files` });
  } finally {
    await draft.discard();
  }
}
