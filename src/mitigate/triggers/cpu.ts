// Owns the trigger on processor time of the process, in percent of one core.
import { percent } from '../../shared/units.ts';
import { judgeLimit, type Limit, type Trigger } from './trigger.ts';

export const cpu: Trigger<Limit> = {
  type: 'cpu',
  judge: (condition, { cpuPercent }) => judgeLimit(condition, cpuPercent, 'CPU', percent),
};
