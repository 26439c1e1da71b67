// Owns `diag restart --site | --instances | --platform | --cancel`: what it does to users, the question, and how far it is.
import { DiagError } from '../../shared/errors.ts';
import type { Diag } from '../../shared/connect.ts';
import type { Operation } from '../../shared/api.ts';
import type { RestartWay } from '../../shared/restart.ts';
import { systemClock } from '../../platform/clock.ts';
import { print, printJson, safeLine } from '../print.ts';
import { stop } from '../until.ts';

export interface SiteOptions { readonly site?: boolean; readonly instances?: boolean; readonly platform?: boolean; readonly cancel?: boolean; readonly overlapped?: boolean; readonly pause?: number; readonly probe?: string; readonly reason?: string; readonly yes?: boolean; readonly json?: boolean }

const LOOK_MS = 500;

/** Which way was asked for; undefined: one worker. @throws BAD_INPUT for two of them */
export function wayOf({ site, instances, platform }: SiteOptions): RestartWay | undefined {
  const ways = ([[site, 'instance'], [instances, 'instances'], [platform, 'platform']] as const).flatMap(([asked, way]) => (asked === true ? [way] : []));
  if (ways.length > 1) throw new DiagError('BAD_INPUT', { why: 'only one of --site, --instances and --platform can be done at once' });
  return ways[0];
}

/** Follows it to its end; Ctrl+C leaves it running, as others may wait for it. */
export async function restartSite(diag: Diag, way: RestartWay, options: SiteOptions, confirmed: (question: string) => Promise<boolean>): Promise<void> {
  const offered = (await diag.siteRestart()).ways.find((one) => one.way === way);
  if (offered?.offer.yes !== true) throw new DiagError('CAPABILITY_MISSING', { what: 'This restart', because: offered?.offer.because });
  if (options.yes !== true && !await confirmed(`${safeLine(offered.says)} Go on? [y/N] `)) { print('Nothing was done.'); return; }
  const { overlapped, pause, probe, reason } = options;
  const begun = await diag.restartSite({ body: { way, ...(overlapped === undefined ? {} : { overlapped }), ...(pause === undefined ? {} : { pauseMs: pause * 1_000 }), ...(probe === undefined ? {} : { path: probe }), ...(reason === undefined ? {} : { reason }) } });
  const ended = await followed(diag, begun, options.json === true);
  if (options.json) printJson(ended);
  if (ended.state !== 'done') throw new DiagError('RESTART_STOPPED', { why: ended.note?.replace(/\.$/, '') ?? ended.state });
  if (!options.json) print(safeLine(ended.note ?? 'Done.'));
}

async function followed(diag: Diag, begun: Operation, quiet: boolean): Promise<Operation> {
  let said = '';
  for (;;) {
    const now = await diag.operation({ params: { operation: begun.id } });
    if (now.state !== 'running') return now;
    if (!quiet && now.note !== undefined && now.note !== said) print(safeLine(now.note));
    said = now.note ?? said;
    await systemClock.wait(LOOK_MS, stop);
  }
}
