// Owns how a diagnoser is shown before it is chosen: what it is, what it costs, whether it is possible here, and its form.
import { z } from 'zod';
import type { DiagnoserInfo } from '../shared/api.ts';
import type { ProcessInfo } from '../shared/model.ts';
import type { Platform } from '../platform/platform.ts';
import type { Diagnoser } from '../analyze/contracts.ts';

export function describeDiagnosers(diagnosers: readonly Diagnoser[], target: ProcessInfo | undefined, platform: Platform): z.infer<typeof DiagnoserInfo>[] {
  return diagnosers.map((d) => ({
    id: d.id,
    title: d.title,
    about: d.about,
    cost: d.cost,
    ...(d.costNote === undefined ? {} : { costNote: typeof d.costNote === 'string' ? d.costNote : d.costNote(platform) }),
    preselected: d.preselected,
    offer: d.offered(target, platform),
    options: z.toJSONSchema(d.options, { io: 'input', unrepresentable: 'any' }),
  }));
}
