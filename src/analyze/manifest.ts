// Owns the manifest of a bundle: what is in it, what was masked, what was left out and why.
import { z } from 'zod';
import { AppInfo, ArtifactKind, At, Masked, ProcessInfo, SessionId } from '../shared/model.ts';

export const MANIFEST = 'manifest.json';

export const Manifest = z.object({
  version: z.literal(1),
  tool: z.object({ name: z.string(), version: z.string() }),
  session: SessionId,
  instance: z.string(),
  madeAt: At,
  window: z.object({ from: At, to: At }),
  app: AppInfo,
  target: ProcessInfo.optional(),
  files: z.array(z.object({ path: z.string(), bytes: z.number().int().nonnegative(), sha256: z.string(), kind: ArtifactKind.optional(), note: z.string().optional() })),
  masked: z.array(Masked),
  leftOut: z.array(z.object({ what: z.string(), why: z.string() })),
});
export type Manifest = z.infer<typeof Manifest>;
