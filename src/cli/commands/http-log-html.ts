// Owns the page of `diag http-log --html`: one file that needs nothing else.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VERSION } from '../../agent/config.ts';
import { HTTP_CSS, httpHtml } from '../../analyze/http-html.ts';
import { systemClock } from '../../platform/clock.ts';
import { packageRoot } from '../../server/run.ts';
import { writeAtomic } from '../../store/atomic.ts';
import type { WriteHtml } from './http-log.ts';

export const writeHttpHtml: WriteHtml = async (path, report, filter) => {
  const root = packageRoot(import.meta.url);
  const css = (await Promise.all(HTTP_CSS.map((name) => readFile(join(root, 'public', name), 'utf8')))).join('\n');
  await writeAtomic(path, httpHtml(report, { madeAt: systemClock.now(), tool: { name: 'AppServiceDiag', version: VERSION }, ...(filter === undefined ? {} : { filter }) }, css));
};
