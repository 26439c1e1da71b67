// Owns Node's diagnostic report of a process that was not prepared for it.
import { DiagError } from '../shared/errors.ts';
import { within } from './clock.ts';
import { talkTo, type InspectorDoor } from './node-inspector.ts';

const REPORT_LIMIT_MS = 20_000;

/** Without the network part the report needs no name lookups (Node 20.13 and later). */
const REPORT = `(() => {
  const report = process.report, short = 'excludeNetwork' in report, was = report.excludeNetwork;
  try { if (short) report.excludeNetwork = true; return JSON.stringify(report.getReport()); }
  finally { if (short) report.excludeNetwork = was; }
})()`;

/** The report as JSON text. If its event loop stands still, the report still comes, but the inspector closes only when the loop turns again.
 *  @throws NODE_REPORT_FAILED, CANCELLED */
export async function takeNodeReport(door: InspectorDoor, pid: number, signal: AbortSignal): Promise<string> {
  try {
    return await talkTo(door, pid, within(REPORT_LIMIT_MS, signal), async (inspector) => checked(await inspector.evaluate(REPORT)));
  } catch (error) {
    if (signal.aborted) throw new DiagError('CANCELLED', { what: `The report of process ${pid}` }, { cause: error });
    const late = error instanceof Error && (error.name === 'TimeoutError' || error.message === 'we hung up');
    const why = late ? `no answer within ${REPORT_LIMIT_MS / 1_000} s` : String(error instanceof Error ? error.message : error);
    throw error instanceof DiagError ? error : new DiagError('NODE_REPORT_FAILED', { pid, why }, { cause: error });
  }
}

function checked(value: unknown): string {
  if (typeof value !== 'string') throw new Error('the answer is no text');
  const report = JSON.parse(value) as unknown;
  if (typeof report !== 'object' || report === null) throw new Error('it made no report');
  return JSON.stringify(report, undefined, 2);
}
