// Owns the doctor: gathers the facts about this machine when it is asked, and has them judged.
import { existsSync } from 'node:fs';
import { readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Doctor } from '../../shared/api.ts';
import { sayError } from '../../shared/errors.ts';
import { Capability } from '../../shared/model.ts';
import { isFull } from '../../platform/folders.ts';
import type { Platform } from '../../platform/platform.ts';
import { codeIn } from '../../store/atomic.ts';
import type { Parts } from '../agent.ts';
import type { Config } from '../config.ts';
import { examine, type DoctorFacts } from './checks.ts';

/** Names of log files looked at for the newest; App Service keeps a few dozen. */
const MAX_LOGS = 500;
const WEB_JOB = ['site', 'jobs', 'continuous', 'AppServiceDiag'] as const;

export async function doctor(parts: Pick<Parts, 'platform' | 'observed' | 'lead'>, config: Config): Promise<Doctor> {
  const { platform, observed, lead } = parts;
  const { folders, app } = platform.host;
  const [probe, home, freeBytes, httpLogAt] = await Promise.all([probed(platform), disk(folders.home), disk(folders.temp), newestLog(join(folders.logs, 'http', 'RawLogs'))]);
  const holder = lead.holder();
  const fault = lead.fault();
  const facts: DoctorFacts = {
    env: config.env, now: platform.clock.now(), os: app.os,
    node: { version: process.version, arch: process.arch },
    capabilities: Capability.options.map((id) => ({ id, offer: platform.can(id) })),
    samplers: observed.health(),
    ...(httpLogAt === undefined ? {} : { httpLogAt }),
    home: { path: folders.home, ...home }, temp: { path: folders.temp, ...freeBytes }, probe,
    lead: { here: lead.leads(), since: lead.since(), ...(holder ? { holder: holder.pid } : {}), ...(fault === undefined ? {} : { fault }) },
    ...webJobIn(folders.home, config),
  };
  return { at: facts.now, checks: examine(facts) };
}

/** There are WebJobs on App Service for Windows only. */
function webJobIn(home: string, { env }: Config): Pick<DoctorFacts, 'webJob'> {
  if ((env['WEBSITE_SITE_NAME'] ?? '') === '' || (env['WEBSITE_IIS_SITE_NAME'] ?? env['WEBJOBS_NAME'] ?? '') === '') return {};
  const folder = join(home, ...WEB_JOB);
  return { webJob: { there: existsSync(join(folder, 'run.cmd')), disabled: existsSync(join(folder, 'disable.job')) } };
}

/** The share gives a file its own time: the difference to ours is that of the clocks, less what the write took. */
async function probed({ host, clock }: Platform): Promise<DoctorFacts['probe']> {
  const file = join(host.folders.own, `.doctor-${process.pid}-${Math.round(clock.monotonic() * 1_000)}`);
  const before = clock.now();
  const from = clock.monotonic();
  try {
    await writeFile(file, 'x', { flag: 'wx' });
    const tookMs = clock.monotonic() - from;
    const { mtimeMs } = await stat(file);
    const skewMs = mtimeMs < before ? mtimeMs - before : Math.max(0, mtimeMs - before - tookMs);
    return { skewMs: Math.round(skewMs), tookMs };
  } catch (error) {
    return { fault: sayError(error), isFull: isFull(error) };
  } finally {
    await rm(file, { force: true });
  }
}

async function disk(folder: string): Promise<{ freeBytes?: number; totalBytes?: number }> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return blocks > 0 ? { freeBytes: bavail * bsize, totalBytes: blocks * bsize } : {};       // a share that does not know says 0
  } catch (error) {
    if (codeIn(error) === '') throw error;
    return {};
  }
}

async function newestLog(folder: string): Promise<number | undefined> {
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => /\.(log|txt)(\.\w+)?$/i.test(name));
  } catch (error) {
    if (codeIn(error) === '') throw error;
    return undefined;
  }
  // Names carry their hour: the last ones are the newest.
  const times = await Promise.all(names.sort().slice(-MAX_LOGS).map(async (name) => stat(join(folder, name)).then((one) => one.mtimeMs, () => 0)));
  return times.length === 0 ? undefined : Math.max(...times);
}
