// Owns scaling as an action: more or fewer instances, never beyond what the rule and the settings allow; not done twice after an end of the agent.
import type { ActionResult } from '../../shared/rules.ts';
import type { Hand } from '../rules/firing.ts';

export interface ScalePorts {
  /** @throws as mitigate/management */
  scaleBy(by: number, most: number, signal: AbortSignal): Promise<string>;
  audit(who: string, what: string, result: string): Promise<void>;
}

/** Without `after`: by how many instances is relative, and whether it was done cannot be told from the plan alone; it is not done twice. */
export function scaleHand({ scaleBy, audit }: ScalePorts): Hand {
  return {
    async run(step, { fired, signal }): Promise<ActionResult> {
      if (step.type !== 'scale') throw new Error(`${step.type} is no change of the plan`);
      const says = await scaleBy(step.by, step.most, signal);
      await audit(`rule ${fired.rule}`, `by ${step.by}, at most ${step.most}: ${fired.condition.slice(0, 200)}`, says);
      return { result: 'done', says: says.slice(0, 2_000) };
    },
  };
}
