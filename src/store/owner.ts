// Owns the question whether the agent that left something behind is still alive.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { within } from '../platform/clock.ts';
import type { Platform } from '../platform/platform.ts';

/** One run of an agent: its process, and a mark that tells two runs of one process apart (tests, a restart inside). */
export const Owner = z.object({ pid: z.number().int().positive(), startedAt: z.number(), run: z.string().regex(/^[0-9a-f]{8}$/) });
export type Owner = z.infer<typeof Owner>;

export function ownerOf(platform: Platform): Owner {
  return { pid: process.pid, startedAt: Math.round(platform.ownUsage().startedAt), run: randomBytes(4).toString('hex') };
}

/** Reading the start of one process takes milliseconds; a share that hangs must not hang the start. */
const ASK_MS = 5_000;
/** Start times are rounded to clock ticks and to the boot time's second. */
const SAME_START_MS = 2_000;

/** Whether another agent's process still runs: the same pid with the same start. Unknown counts as gone: a session nobody works on must not stay "running". */
export async function isAlive(platform: Platform, own: Owner, other: Owner): Promise<boolean> {
  if (other.run === own.run) return true;
  if (other.pid === own.pid) return false;
  const usage = await platform.usage([other.pid], within(ASK_MS));
  const found = usage.get(other.pid);
  return found !== undefined && Math.abs(found.startedAt - other.startedAt) <= SAME_START_MS;
}
