// Owns the rows of the event log in a session's window.
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import type { EventLogFile } from '../../shared/artifacts.ts';
import { count, plural } from '../../shared/units.ts';
import type { Diagnoser } from '../contracts.ts';
import { writeJson } from '../write.ts';

export const eventLog: Diagnoser = {
  id: 'event-log',
  title: 'Event Viewer logs',
  about: 'The errors, warnings and notices that IIS, .NET and the runtime wrote to eventlog.xml.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['event-log'],
  offered: (_target, platform) => platform.can('event-log'),
  async collect(run) {
    const all = await run.platform.eventLog(run.cancel);
    if (all.length === 0) {
      throw new DiagError('NOTHING_TO_COLLECT', { why: 'LogFiles/eventlog.xml is not there or holds no event', remedy: 'The platform writes it at the first event of the app: try again after the next failure.' });
    }
    let hidden = 0;
    const rows = all.filter((row) => row.at >= run.window.from && row.at <= run.window.to).map((row) => {
      const masked = run.mask.text(row.text);
      hidden += masked.count;
      return { ...row, text: masked.text };
    });
    const file: EventLogFile = { version: 1, rows };
    await writeJson(run, 'event-log', 'eventlog.json', file, { masked: hidden });
    run.progress(`${plural(rows.length, 'event')} of ${count(all.length)}`, 1);
  },
};
