// Owns what a session will collect: the asked-for diagnosers with their options parsed, and what is collected always.
import { DiagError } from '../shared/errors.ts';
import type { DiagnoserChoice } from '../shared/model.ts';
import type { Chosen } from './collect.ts';
import type { Diagnoser } from './contracts.ts';
import { ALWAYS } from './diagnosers/index.ts';

/** In the list's order, not the asker's. `asked`: whose fate decides whether the session succeeded. @throws DIAGNOSER_UNKNOWN, BAD_INPUT */
export function choose(diagnosers: readonly Diagnoser[], choices: readonly DiagnoserChoice[] | undefined): { chosen: readonly Chosen[]; asked: readonly string[] } {
  const wanted = choices ?? diagnosers.filter((d) => d.preselected && !ALWAYS.includes(d.id)).map((d): DiagnoserChoice => ({ id: d.id }));
  const byId = new Map<string, { choice: DiagnoserChoice; place: number }>();
  wanted.forEach((choice, place) => {
    if (!diagnosers.some((d) => d.id === choice.id)) throw new DiagError('DIAGNOSER_UNKNOWN', { id: choice.id });
    if (byId.has(choice.id)) throw new DiagError('BAD_INPUT', { why: `diagnosers.${place}.id: ${choice.id} is chosen twice` });
    byId.set(choice.id, { choice, place });
  });
  const chosen = diagnosers.filter((d) => byId.has(d.id) || ALWAYS.includes(d.id)).map((diagnoser): Chosen => {
    const asked = byId.get(diagnoser.id);
    const options = asked?.choice.options;
    return { diagnoser, options: parsed(diagnoser, options ?? {}, asked?.place ?? 0), ...(options && { given: options }) };
  });
  return { chosen, asked: [...byId.keys()] };
}

function parsed(diagnoser: Diagnoser, options: unknown, place: number): unknown {
  const result = diagnoser.options.safeParse(options);
  if (result.success) return result.data;
  const why = result.error.issues.map((issue) => `${['diagnosers', place, 'options', ...issue.path].join('.')}: ${issue.message}`).join('; ');
  throw new DiagError('BAD_INPUT', { why });
}
