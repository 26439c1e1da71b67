// Owns the trigger on the number of threads of the process.
import { count } from '../../shared/units.ts';
import { judgeLimit, type Limit, type Trigger } from './trigger.ts';

export const threads: Trigger<Limit> = {
  type: 'threads',
  judge: (condition, reading) => judgeLimit(condition, reading.threads, 'the number of threads', count),
};
