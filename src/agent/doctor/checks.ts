// Owns what the doctor judges: facts about this machine and its settings in, one check each out, with reason and remedy.
import type { DoctorCheck } from '../../shared/api.ts';
import type { Capability, Offer } from '../../shared/model.ts';
import { bytes, duration, percent } from '../../shared/units.ts';
import type { Env } from '../config.ts';

export interface DoctorFacts {
  readonly env: Env;
  readonly now: number;
  readonly node: { readonly version: string; readonly arch: string };
  readonly os: string;
  readonly capabilities: readonly { readonly id: Capability; readonly offer: Offer }[];
  readonly samplers: readonly { readonly id: string; readonly state: 'good' | 'failing' | 'waiting'; readonly error?: string }[];
  /** Newest change of a file of the HTTP log; absent: there is none. */
  readonly httpLogAt?: number;
  readonly home: { readonly path: string; readonly freeBytes?: number; readonly totalBytes?: number };
  readonly temp: { readonly path: string; readonly freeBytes?: number };
  /** A file written to the home a moment ago: why it could not be, or how its time differs from ours. */
  readonly probe: { readonly fault: string; readonly isFull: boolean } | { readonly skewMs: number; readonly tookMs: number };
  readonly lead: { readonly here: boolean; readonly since: number; readonly holder?: number; readonly fault?: string };
  /** Whether the continuous WebJob is registered; absent where there are none. */
  readonly webJob?: { readonly there: boolean; readonly disabled: boolean };
}

type Judged = Omit<DoctorCheck, 'id' | 'title'>;
interface Check { readonly id: string; readonly title: string; judge(facts: DoctorFacts): Judged | undefined }

const OLDEST_NODE = 20;
/** A dump of a worker, or an evening of logs. */
const HOME_LOW_BYTES = 200 * 2 ** 20;
const HOME_LOW_SHARE = 0.05;
/** Dumps are written here first. */
const TEMP_LOW_BYTES = 500 * 2 ** 20;
/** A second between rows of the log and our samples moves a crash behind its requests. */
const SKEW_MS = 2_000;
const SKEW_BAD_MS = 60_000;
/** App Service flushes about once a minute, and Always On makes a request every five. */
const LOG_QUIET_MS = 3_600_000;
const SLOW_PROBE_MS = 1_000;

const good = (says: string): Judged => ({ severity: 'good', says });
const onAppService = ({ env }: DoctorFacts): boolean => (env['WEBSITE_SITE_NAME'] ?? '') !== '';
const isOff = (value: string | undefined): boolean => /^(0|false|off)$/i.test(value ?? '');

/** In the order in which they are told when they are equally bad. */
export const CHECKS: readonly Check[] = [
  { id: 'node', title: 'Node', judge: node },
  { id: 'home-write', title: 'Home can be written', judge: homeWrite },
  { id: 'home-room', title: 'Room in the home', judge: homeRoom },
  { id: 'clock', title: 'Clock of the home', judge: clock },
  { id: 'temp-room', title: 'Room on the local disk', judge: tempRoom },
  { id: 'http-log', title: 'HTTP log', judge: httpLog },
  { id: 'observer', title: 'Who observes', judge: observer },
  { id: 'web-job', title: 'WebJob', judge: webJob },
  { id: 'always-on', title: 'Always On', judge: alwaysOn },
  { id: 'wwwroot', title: 'Site folder', judge: wwwroot },
  { id: 'samplers', title: 'Samplers', judge: samplers },
];

const ORDER: readonly DoctorCheck['severity'][] = ['critical', 'warning', 'cannot-tell', 'info', 'good'];

/** The worst first; what does not apply here is left out. */
export function examine(facts: DoctorFacts): DoctorCheck[] {
  const judged = CHECKS.flatMap(({ id, title, judge }) => { const found = judge(facts); return found ? [{ id, title, ...found }] : []; });
  const able = facts.capabilities.map(({ id, offer }) => ability(id, offer));
  return [...judged, ...able].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

function node({ node: { version, arch }, os }: DoctorFacts): Judged {
  const major = Number(/^v?(\d+)/.exec(version)?.[1]);
  if (!(major >= OLDEST_NODE)) return { severity: 'critical', says: `Node is ${version}; the agent needs ${OLDEST_NODE} or newer.`, remedy: `Set the app setting WEBSITE_NODE_DEFAULT_VERSION to ~${OLDEST_NODE} and restart the SCM site.` };
  if (arch === 'ia32' && os.includes('Windows')) return { severity: 'warning', says: `Node ${version} runs with 32 bits: processes and dumps cannot be read through the system's own calls.`, remedy: 'Set the platform of the app to 64 bit (Configuration, General settings) and restart the SCM site.' };
  return good(`Node ${version}, ${arch}.`);
}

function homeWrite({ probe, home }: DoctorFacts): Judged {
  if ('skewMs' in probe) {
    if (probe.tookMs > SLOW_PROBE_MS) return { severity: 'warning', says: `A small file took ${duration(probe.tookMs)} to write to ${home.path}: the share is slow, and history and reports wait for it.`, remedy: 'Look at the storage of the app; a plan with other tenants on it can be scaled up.' };
    return good(`A small file took ${duration(probe.tookMs)} to write to ${home.path}.`);
  }
  if (probe.isFull) return { severity: 'critical', says: `The home ${home.path} is full: nothing can be recorded.`, remedy: 'Delete what is old below LogFiles, or sessions on the Analyze page.' };
  return { severity: 'critical', says: `The home ${home.path} cannot be written: ${probe.fault}.`, remedy: 'Give the user of the agent the right to write there, or name another home in DIAG_HOME.' };
}

function homeRoom({ home: { freeBytes, totalBytes } }: DoctorFacts): Judged {
  if (freeBytes === undefined) return { severity: 'cannot-tell', says: 'The share does not say how much room it has.' };
  const says = `${bytes(freeBytes)}${totalBytes === undefined ? '' : ` of ${bytes(totalBytes)}`} are free.`;
  const low = freeBytes < HOME_LOW_BYTES || (totalBytes !== undefined && freeBytes < totalBytes * HOME_LOW_SHARE);
  return low ? { severity: 'warning', says: `Only ${says}${totalBytes === undefined ? '' : ` That is ${percent(freeBytes / totalBytes * 100)}.`}`, remedy: 'Delete what is old below LogFiles, or sessions on the Analyze page, before a dump is taken.' } : good(says);
}

function clock({ probe }: DoctorFacts): Judged | undefined {
  if (!('skewMs' in probe)) return undefined;
  const apart = Math.abs(probe.skewMs);
  if (apart < SKEW_MS) return good(`It differs by ${duration(apart)} from the agent's.`);
  const says = `The clock of the home is ${duration(apart)} ${probe.skewMs > 0 ? 'ahead of' : 'behind'} the agent's: log files look newer or older than they are.`;
  return { severity: apart < SKEW_BAD_MS ? 'warning' : 'critical', says, remedy: 'Let the machine take its time from a time server; compare times of the log with those of the charts with care until then.' };
}

function tempRoom({ temp: { path, freeBytes } }: DoctorFacts): Judged {
  if (freeBytes === undefined) return { severity: 'cannot-tell', says: `The disk of ${path} does not say how much room it has.` };
  if (freeBytes >= TEMP_LOW_BYTES) return good(`${bytes(freeBytes)} are free in ${path}.`);
  return { severity: 'warning', says: `Only ${bytes(freeBytes)} are free in ${path}: a memory dump is written there first.`, remedy: 'Delete what is old there; on App Service a restart of the app empties it.' };
}

function httpLog(facts: DoctorFacts): Judged {
  const remedy = 'Enable it: App Service logs, Web server logging, File system.';
  if (isOff(facts.env['WEBSITE_HTTPLOGGING_ENABLED'])) return { severity: 'critical', says: 'HTTP logging is off: requests, their failures and their times are not known.', remedy };
  if (facts.httpLogAt === undefined) return { severity: onAppService(facts) ? 'critical' : 'warning', says: 'There is no HTTP log: requests, their failures and their times are not known.', remedy: onAppService(facts) ? remedy : 'Let the server in front write its access log below LogFiles/http/RawLogs of the home.' };
  const quietMs = facts.now - facts.httpLogAt;
  if (quietMs > LOG_QUIET_MS) return { severity: 'warning', says: `The HTTP log has not grown for ${duration(quietMs)}: either nobody asks, or logging was switched off.`, remedy };
  return good(`It grew ${duration(Math.max(0, quietMs))} ago.`);
}

function observer({ lead, now }: DoctorFacts): Judged {
  const forLong = duration(Math.max(0, now - lead.since));
  if (lead.fault !== undefined) return { severity: 'warning', says: `The lease on the local disk cannot be kept (${lead.fault}): two agents of this instance might both observe.`, remedy: 'Make room on the local disk, and see that its temp folder can be written.' };
  if (lead.here) return good(`This agent observes the instance, for ${forLong}.`);
  return { severity: 'info', says: `Another agent of this instance observes${lead.holder === undefined ? '' : ` (process ${lead.holder})`}; this one has shown what it writes for ${forLong}, and takes over when it ends.` };
}

function webJob({ webJob: job }: DoctorFacts): Judged | undefined {
  if (!job) return undefined;
  if (!job.there) return { severity: 'warning', says: 'The continuous WebJob is not registered: nothing is recorded while the SCM site idles.', remedy: 'Run install.cmd in the folder of the extension once (docs/deploy.md).' };
  if (job.disabled) return { severity: 'warning', says: 'The continuous WebJob is stopped: nothing is recorded while the SCM site idles.', remedy: 'Start AppServiceDiag on the page of the WebJobs.' };
  return good('The continuous WebJob is registered.');
}

function alwaysOn(facts: DoctorFacts): Judged | undefined {
  if (!onAppService(facts) || !facts.webJob) return undefined;
  const said = facts.env['WEBSITE_SCM_ALWAYS_ON_ENABLED'];
  if (said === undefined) return { severity: 'cannot-tell', says: 'The platform does not say whether Always On is set.', remedy: 'See that it is (Configuration, General settings): without it the WebJob ends with the SCM site after 20 minutes.' };
  if (isOff(said)) return { severity: 'warning', says: 'Always On is off: the SCM site and its WebJobs end after 20 minutes without requests, and nothing is recorded then.', remedy: 'Switch it on (Configuration, General settings; Basic plan or higher).' };
  return good('Always On is on.');
}

/** What others change is not ours to change there. */
function wwwroot(facts: DoctorFacts): Judged | undefined {
  if (!onAppService(facts)) return undefined;
  const { env } = facts;
  const because = (env['WEBSITE_RUN_FROM_PACKAGE'] ?? '0') !== '0' && env['WEBSITE_RUN_FROM_PACKAGE'] !== '' ? 'the site runs from a package (WEBSITE_RUN_FROM_PACKAGE)' : /^always$/i.test(env['WEBSITE_LOCAL_CACHE_OPTION'] ?? '') ? 'the site runs from a local cache (WEBSITE_LOCAL_CACHE_OPTION)' : undefined;
  if (because === undefined) return good('The folder site/wwwroot can be changed.');
  return { severity: 'info', says: `The folder site/wwwroot is read-only, as ${because}: its web.config cannot be edited from here.`, remedy: 'Change it in the package that is deployed.' };
}

function samplers({ samplers: all }: DoctorFacts): Judged {
  const failing = all.filter((one) => one.state === 'failing');
  if (failing.length === 0) return good(`All ${all.length} read what they should.`);
  return { severity: 'warning', says: failing.map((one) => `${one.id} fails: ${one.error ?? 'it said nothing'}`).join(' '), remedy: 'The agent\'s own log has more (data/DaaS/diag/logs).' };
}

/** What is missing, what to do about it, and how bad that is for finding the cause of a failure. */
const REMEDIES: Readonly<Partial<Record<Capability, { readonly title: string; readonly severity: DoctorCheck['severity']; readonly remedy?: string }>>> = {
  processes: { title: 'Processes', severity: 'critical', remedy: 'Run the agent as the user of the site; on Windows with a 64-bit Node.' },
  usage: { title: 'CPU and memory', severity: 'critical', remedy: 'Run the agent as the user of the site; on Windows with a 64-bit Node.' },
  'memory-dump': { title: 'Memory dump', severity: 'warning', remedy: 'On Linux install gdb and give the agent the right to trace (CAP_SYS_PTRACE); on Windows use a 64-bit Node.' },
  'node-report': { title: 'Node report', severity: 'info' },
  'event-log': { title: 'Event log', severity: 'info' },
  restart: { title: 'Restart', severity: 'warning', remedy: 'Run the agent as the user of the site.' },
  'overlapped-restart': { title: 'Restart with overlap', severity: 'info' },
};

function ability(id: Capability, offer: Offer): DoctorCheck {
  const known = REMEDIES[id];
  const title = known?.title ?? `${id.charAt(0).toUpperCase()}${id.slice(1).replaceAll('-', ' ')}`;
  if (offer.yes) return { id: `can-${id}`, title, severity: 'good', says: 'Possible here.' };
  return { id: `can-${id}`, title, severity: known?.severity ?? 'info', says: `Not possible here: ${(offer.because ?? 'the system does not say why').replace(/\.$/, '')}.`, ...(known?.remedy === undefined ? {} : { remedy: known.remedy }) };
}
