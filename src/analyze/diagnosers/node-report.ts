// Owns Node's diagnostic report of the process under study, its environment masked.
import { z } from 'zod';
import { maskCommandLine } from '../../shared/mask.ts';
import { DiagError } from '../../shared/errors.ts';
import { askForText, byPreload } from '../by-preload.ts';
import type { Diagnoser } from '../contracts.ts';
import { theTarget, withTarget } from '../target.ts';
import { maskJson, writeJson } from '../write.ts';

export const nodeReport: Diagnoser = {
  id: 'node-report',
  title: 'Node diagnostic report',
  about: 'What Node says about itself: JavaScript stack, heap spaces, handles, resource use, limits. Its environment is masked.',
  options: z.strictObject({}),
  cost: 'slows-app',
  costNote: 'Node writes it between two turns of its event loop: about 10 ms.',
  preselected: true,
  produces: ['node-report'],
  offered: (target, platform) => withTarget(target, target ? platform.nodeReportOffered(target) : { yes: true }),
  async collect(run) {
    const target = theTarget(run);
    run.progress(`asking process ${target.pid}`);
    const stop = AbortSignal.any([run.cancel, run.enough]);
    const { made: text, way } = await byPreload(run, () => askForText(run, { what: 'report' }, stop), () => run.platform.nodeReport({ pid: target.pid, startedAt: target.startedAt }, stop));
    const { value, count } = maskJson(withMaskedCommand(parsed(text, target.pid)), run.mask);
    await writeJson(run, 'node-report', `node-report-${target.pid}.json`, value, { masked: count, note: way });
  },
};

/** The report has the command line as words: in `--password x` the secret is no longer beside its name. They stand as one line here, as everywhere else. */
function withMaskedCommand(report: unknown): unknown {
  const header = (report as { header?: { commandLine?: unknown } } | null)?.header;
  if (!Array.isArray(header?.commandLine)) return report;
  return { ...report as object, header: { ...header, commandLine: [maskCommandLine(header.commandLine.join(' '))] } };
}

function parsed(text: string, pid: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DiagError('NODE_REPORT_FAILED', { pid, why: 'what it wrote is not whole' }, { cause });
  }
}
