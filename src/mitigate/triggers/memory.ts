// Owns the trigger on the memory of the process that is its own.
import { bytes } from '../../shared/units.ts';
import { judgeLimit, type Limit, type Trigger } from './trigger.ts';

export const memory: Trigger<Limit> = {
  type: 'memory',
  judge: (condition, { memoryBytes }) => judgeLimit(condition, memoryBytes, 'memory', bytes),
};
