// Owns the PHP error log of a session's window.
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import { utc } from '../../shared/units.ts';
import type { Diagnoser } from '../contracts.ts';
import { copyLogs, sayCopied } from '../log-window.ts';

const BOUNDS = { fileBytes: 64 * 1024 * 1024, totalBytes: 64 * 1024 * 1024, files: 20 };

export const phpErrorLog: Diagnoser = {
  id: 'php-error-log',
  title: 'PHP error logs',
  about: 'What PHP wrote to php_errors.log in the window: fatal errors, warnings, notices.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['php-log'],
  offered(target, platform) {
    const php = target?.role === 'php' || /php/i.test(platform.host.app.runtime ?? '');
    return php ? { yes: true } : { yes: false, because: 'the app does not run PHP' };
  },
  async collect(run) {
    const all = (await run.observed.logs.catalog(run.cancel, { fresh: true })).sources.filter((s) => s.kind === 'php');
    if (all.length === 0) throw new DiagError('NOTHING_TO_COLLECT', { why: 'there is no php_errors.log: PHP does not log its errors', remedy: 'Put log_errors = On into .user.ini (Windows) or the app setting PHP_INI_SCAN_DIR\'s ini file (Linux), then try again.' });
    const copied = await copyLogs(run, all, 'php-log', BOUNDS);
    run.progress(copied.files > 0 ? sayCopied(copied) : `nothing written in the window; the log is of ${utc(Math.max(...all.map((s) => s.changedAt)))}`, 1);
  },
};
