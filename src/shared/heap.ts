// Owns the words of a heap report: what a reader, the page and `diag heap --json` may rely on.
import { z } from 'zod';

const whole = z.number().int().nonnegative();
const size = z.number().nonnegative();
/** Lines and columns from 1, as an editor shows them. */
export const HeapPlace = z.object({ script: z.string(), line: whole, column: whole });
export type HeapPlace = z.infer<typeof HeapPlace>;

/** One step of a way: the edge as the source names it, and what it leads to. */
export const HeapStep = z.object({ edge: z.string(), type: z.string(), node: z.string(), id: whole });
export type HeapStep = z.infer<typeof HeapStep>;

export const HeapClass = z.object({ name: z.string(), place: HeapPlace.optional(), count: whole, shallow: size, retained: size, distance: z.number().int() });
export type HeapClass = z.infer<typeof HeapClass>;

export const HeapObject = z.object({ id: whole, name: z.string(), shallow: size, retained: size, share: z.number(), path: z.array(HeapStep) });
export type HeapObject = z.infer<typeof HeapObject>;

/** sign: grew = between the snapshots; holds-most = of one snapshot, which cannot tell a cache from a leak. exact: the line is that of the name itself, else of the function or class that sees it. */
export const HeapSuspect = z.object({
  title: z.string(), sign: z.enum(['grew', 'holds-most']), holder: z.string(), place: HeapPlace.optional(), exact: z.boolean(),
  what: z.string().optional(),
  /** Of a heap that was tracked while it grew: the program's function that made most of it. */
  made: z.object({ name: z.string(), place: HeapPlace, count: whole }).optional(),
  count: whole, bytes: size, retained: size, share: z.number(), id: whole, path: z.array(HeapStep),
});
export type HeapSuspect = z.infer<typeof HeapSuspect>;

export const HeapText = z.object({ excerpt: z.string(), count: whole, bytes: size, waste: size, id: whole });
export type HeapText = z.infer<typeof HeapText>;

export const HeapReport = z.object({
  version: z.literal(1),
  file: z.string(),
  /** What is missing or damaged, one sentence each. */
  notes: z.array(z.string()),
  nodes: whole, edges: whole, bytes: size,
  parts: z.object({ native: size, external: size, code: size, strings: size, arrays: size, objects: size, functions: size, system: size }),
  classes: z.array(HeapClass), moreClasses: whole,
  largest: z.array(HeapObject),
  suspects: z.array(HeapSuspect),
  growth: z.object({ base: z.string(), nodes: z.number().int(), bytes: z.number(), grownBytes: size, classes: z.array(z.object({ name: z.string(), count: z.number().int(), shallow: z.number() })) }).optional(),
  strings: z.object({ count: whole, bytes: size, duplicateBytes: size, duplicates: z.array(HeapText), largest: z.array(HeapText) }),
  functions: z.object({ count: whole, bytes: size, byPlace: z.array(z.object({ name: z.string(), place: HeapPlace, count: whole, bytes: size })) }),
  collections: z.array(z.object({ id: whole, kind: z.string(), entries: whole, of: z.string().optional(), retained: size, holder: z.string().optional(), place: HeapPlace.optional() })),
  emitters: z.array(z.object({ id: whole, emitter: z.string(), event: z.string(), listeners: whole, holder: z.string().optional(), place: HeapPlace.optional() })),
  timers: z.object({ count: whole, retained: size, byFunction: z.array(z.object({ name: z.string(), place: HeapPlace.optional(), count: whole })) }),
  promises: z.object({ count: whole, awaited: whole, settledOrAlone: whole }),
  contexts: z.object({ count: whole, native: whole, detached: whole, detachedBytes: size, detachedNames: z.array(z.object({ name: z.string(), count: whole, shallow: size })) }),
  buffers: z.object({ count: whole, bytes: size }),
});
export type HeapReport = z.infer<typeof HeapReport>;
