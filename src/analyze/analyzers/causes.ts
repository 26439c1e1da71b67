// Owns the step that names the cause: all that was collected becomes one scene, and the causes are judged over it.
import type { Diagnosis } from '../../shared/cause.ts';
import type { Analyzer, Given } from '../contracts.ts';
import { causes as rules } from '../causes/index.ts';
import { diagnose } from '../causes/engine.ts';
import { SCENE_KINDS, sceneOf } from '../events/scene.ts';

export const causes: Analyzer = {
  id: 'causes',
  title: 'Causes',
  needs: [],
  needsOne: SCENE_KINDS,
  uses: SCENE_KINDS,
  analyze: () => Promise.resolve([]),                          // what it has to say stands in the report's own place
  diagnose: (given, { window }, cancel) => diagnosisOf(given, window, cancel),
};

export async function diagnosisOf(given: Given, window: { readonly from: number; readonly to: number }, cancel: AbortSignal): Promise<Diagnosis> {
  return diagnose(await sceneOf(given, window, cancel), rules);
}
