// Owns what was read of a memory dump: the same form for cores and minidumps, for the command line, the report and the page.
import { z } from 'zod';

/** An address as text: JSON numbers would lose the upper ones. */
const Address = z.string().regex(/^-?0x[0-9a-f]+$/);

export const DumpFrame = z.object({
  pc: Address,
  module: z.string().optional(),
  offset: Address.optional(),                                  // from the module's first byte
  function: z.string().optional(),
  /** context: the registers; rules: unwind information; frame-pointer: chained frames; scan: an address on the stack that may be a caller. */
  how: z.enum(['context', 'rules', 'frame-pointer', 'scan']),
  js: z.object({ function: z.string(), tier: z.enum(['interpreted', 'baseline', 'optimized', 'builtin']), file: z.string().optional(), line: z.number().int().optional(), column: z.number().int().optional(), begins: z.boolean().optional() }).optional(),
});
export type DumpFrame = z.infer<typeof DumpFrame>;

export const DumpThread = z.object({
  id: z.number().int(),
  name: z.string().optional(),                                 // what it was started for, where its stack says it
  died: z.boolean().optional(),
  registers: z.record(z.string(), Address).optional(),
  frames: z.array(DumpFrame),
  more: z.number().int().optional(),                           // frames beyond those; at least so many
  note: z.string().optional(),
});
export type DumpThread = z.infer<typeof DumpThread>;

export const DumpModule = z.object({ name: z.string(), path: z.string(), from: Address, bytes: z.number(), version: z.string().optional(), buildId: z.string().optional(), note: z.string().optional() });
export const DumpArea = z.object({ from: Address, bytes: z.number(), stored: z.number(), filled: z.number(), kind: z.enum(['code', 'file', 'heap', 'stack', 'javascript', 'anonymous', 'system']), name: z.string().optional(), holds: z.string().optional() });
export type DumpArea = z.infer<typeof DumpArea>;

export const DumpRead = z.object({
  version: z.literal(1),
  format: z.enum(['core', 'minidump']),
  bytes: z.number().int().nonnegative(),
  process: z.object({ pid: z.number().int().optional(), name: z.string().optional(), commandLine: z.string().optional(), system: z.string(), takenAt: z.number().int().optional(), startedAt: z.number().int().optional() }),
  /** Absent: it was taken of a living process. */
  death: z.object({ name: z.string(), code: z.number(), meaning: z.string(), thread: z.number().int().optional(), address: Address.optional(), place: z.string().optional() }).optional(),
  threads: z.array(DumpThread),                                // the one that died, or the main one, first
  modules: z.array(DumpModule),
  memory: z.object({
    bytes: z.number(),                                         // mapped
    stored: z.number(),                                        // of which the dump holds this
    filled: z.number(),                                        // of which so much is not zero, counted from pages at even distances
    byKind: z.array(z.object({ kind: DumpArea.shape.kind, areas: z.number().int(), bytes: z.number(), stored: z.number(), filled: z.number() })),
    biggest: z.array(DumpArea),                                // what is filled counts before what is only mapped
    more: z.number().int().optional(),                         // areas beyond those
  }),
  javascript: z.object({
    runtime: z.string(),
    understood: z.boolean(),
    why: z.string().optional(),                                // not understood, or nothing was running
    stack: z.array(DumpFrame.shape.js.unwrap()),
    exception: z.object({ name: z.string(), message: z.string(), stack: z.string().optional(), code: z.string().optional() }).optional(),
    heapBytes: z.number().optional(),
  }).optional(),
  texts: z.array(z.object({ text: z.string(), times: z.number().int() })),
  environment: z.array(z.object({ name: z.string(), value: z.string(), masked: z.boolean() })),
  handles: z.object({ total: z.number().int(), byType: z.array(z.object({ type: z.string(), count: z.number().int() })) }).optional(),
  streams: z.array(z.object({ name: z.string(), bytes: z.number() })).optional(),
  notes: z.array(z.string()),                                  // what is missing, cut or not understood
});
export type DumpRead = z.infer<typeof DumpRead>;

/** How far a reading is. */
export const DumpProgress = z.object({ note: z.string(), fraction: z.number().min(0).max(1) });
export type DumpProgress = z.infer<typeof DumpProgress>;
