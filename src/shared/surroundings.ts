// Owns the words for what surrounds a site: states of threads, runtimes on the machine, facts of the host.
import { z } from 'zod';

/** running: on a processor or ready for one. uninterruptible: waits inside the kernel, usually for a disk or a share. idle: not begun or parked. */
export const ThreadState = z.enum(['running', 'waiting', 'uninterruptible', 'stopped', 'traced', 'ended', 'idle']);
export type ThreadState = z.infer<typeof ThreadState>;

/** A runtime that was found; without a version it did not tell one, and `because` says why. */
export const Runtime = z.object({
  name: z.enum(['Node.js', 'npm', 'Python', 'PHP', 'Java', '.NET']),
  path: z.string(),
  version: z.string().optional(),
  because: z.string().optional(),
});
export type Runtime = z.infer<typeof Runtime>;

/** One fact for people: its stable id, its title, its value with its unit. */
export const HostFact = z.object({ id: z.string(), title: z.string(), value: z.string() });
export type HostFact = z.infer<typeof HostFact>;
