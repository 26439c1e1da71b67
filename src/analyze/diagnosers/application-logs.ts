// Owns the application's own logs of a session's window: trace lines, stdout and stderr, container output.
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import { utc } from '../../shared/units.ts';
import type { Diagnoser } from '../contracts.ts';
import { copyLogs, sayCopied } from '../log-window.ts';

const BOUNDS = { fileBytes: 32 * 1024 * 1024, totalBytes: 256 * 1024 * 1024, files: 200 };   // a crash loop makes a file per worker

/** The front's own word on single requests: nginx's error log, and what php-fpm says of itself. */
const FRONT_LOG = /(?:^|\/)nginx\/[^/]*error[^/]*$|(?:^|\/)(?:nginx[^/]*error|php\d?[\d.]*-?fpm)[^/]*\.log$/i;

export const applicationLogs: Diagnoser = {
  id: 'application-logs',
  title: 'Application logs',
  about: 'What the app wrote in the window: stdout, stderr, trace lines, container output, and the error log of its nginx. Secrets are masked.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['application-log'],
  offered: () => ({ yes: true }),
  async collect(run) {
    const all = (await run.observed.logs.catalog(run.cancel, { fresh: true })).sources.filter((s) => s.kind === 'application' || s.kind === 'docker' || (s.kind === 'other' && FRONT_LOG.test(s.title)));
    if (all.length === 0) {
      throw new DiagError('NOTHING_TO_COLLECT', { why: 'there is no application log: application logging is off, or the app wrote nothing yet', remedy: 'Turn it on: App Service logs → Application logging → File System; for iisnode set loggingEnabled="true" in web.config.' });
    }
    const copied = await copyLogs(run, all, 'application-log', BOUNDS);
    run.progress(copied.files > 0 ? sayCopied(copied) : `nothing written in the window; the newest log is of ${utc(Math.max(...all.map((s) => s.changedAt)))}`, 1);
  },
};
