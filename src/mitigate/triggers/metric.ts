// Owns the trigger on a metric of the site, such as the response time p95 or the share of failed requests.
import { metric as row, type MetricId } from '../../shared/metrics.ts';
import { percent, quantity } from '../../shared/units.ts';
import { UNKNOWN, judgeLimit, type Limit, type Trigger } from './trigger.ts';

export interface MetricLimit extends Limit {
  readonly metric: MetricId;
  /** The metric in percent of this one. */
  readonly of?: MetricId;
}

export const metric: Trigger<MetricLimit> = {
  type: 'metric',
  judge: (condition, { metrics }) => {
    const value = metrics?.[condition.metric];
    if (condition.of === undefined) return judgeLimit(condition, value, row(condition.metric).title, (n) => quantity(n, row(condition.metric).unit));
    const whole = metrics?.[condition.of];
    // No request at all is no failure rate.
    if (value === undefined || whole === undefined || whole === 0) return UNKNOWN;
    return judgeLimit(condition, (value / whole) * 100, `${row(condition.metric).title} of ${row(condition.of).title}`, percent);
  },
};
