// Owns the list of triggers, and the judging of a condition by the one it names.
import { cpu } from './cpu.ts';
import { exception, type ExceptionCondition } from './exception.ts';
import { hang, type Silence } from './hang.ts';
import { memory } from './memory.ts';
import { metric, type MetricLimit } from './metric.ts';
import { threads } from './threads.ts';
import type { Judgement, Limit, Reading } from './trigger.ts';

export type Condition =
  | ({ readonly type: 'cpu' | 'memory' | 'threads' } & Limit)
  | ({ readonly type: 'hang' } & Silence)
  | ({ readonly type: 'metric' } & MetricLimit)
  | ({ readonly type: 'exception' } & ExceptionCondition);

export function judge(condition: Condition, reading: Reading): Judgement {
  switch (condition.type) {
    case 'cpu': return cpu.judge(condition, reading);
    case 'memory': return memory.judge(condition, reading);
    case 'threads': return threads.judge(condition, reading);
    case 'hang': return hang.judge(condition, reading);
    case 'metric': return metric.judge(condition, reading);
    case 'exception': return exception.judge(condition, reading);
  }
}

/** What comes as an event fires at once; what is measured again and again must hold for a while. */
export function holdsFor(condition: Condition, forMs: number): number {
  return condition.type === 'exception' || condition.type === 'hang' ? 0 : forMs;
}
