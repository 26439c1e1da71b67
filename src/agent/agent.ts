// Owns the whole machine assembled: platform, store, observer and sessions wired together, what they offer, and their end.
import { setMaxListeners } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { AgentInfo, DiagnoserInfo, Doctor, Operation, RestartDone, SessionAccepted, StartSession } from '../shared/api.ts';
import { DiagError } from '../shared/errors.ts';
import { Capability, type Health, type Now, type ProcessKey, type Session, type SessionId } from '../shared/model.ts';
import { openPlatform } from '../platform/choose.ts';
import { openLog, type AgentLog as Log } from '../platform/log.ts';
import type { Platform } from '../platform/platform.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { createFeed } from '../observe/feed.ts';
import { openLogs } from '../observe/logs/index.ts';
import { startObserver, type Observer } from '../observe/observer.ts';
import type { Feed } from '../observe/observe.ts';
import { nowOf } from '../analyze/now.ts';
import { bundleFile } from '../analyze/bundle.ts';
import { createSessions, type Sessions } from '../analyze/session.ts';
import { diagnosers } from '../analyze/diagnosers/index.ts';
import { analyzers } from '../analyze/analyzers/index.ts';
import type { RestartHow } from '../mitigate/restart.ts';
import { workerOf } from '../analyze/target.ts';
import { autoHealOf, type AutoHeal } from './auto-heal.ts';
import { VERSION, type Config } from './config.ts';
import { startCure, type Cure } from './cure.ts';
import { managementOf } from './management.ts';
import { startEnvironment, type SiteEnvironment } from './environment.ts';
import { createExplorer, type Explorer } from './explorer.ts';
import { describeDiagnosers } from './describe.ts';
import { diagnoseWith } from './diagnose.ts';
import { createFiles, type Files } from './files.ts';
import { createLooks, type Looks } from './looks.ts';
import { doctor } from './doctor/doctor.ts';
import { createLead, type Lead } from './lead.ts';
import { createKudu, type Kudu } from './kudu/kudu.ts';
import { createOperations, type Operations } from './operations.ts';
import { restartWith } from './restart.ts';
import { startRules, type Rules } from './rules.ts';
import { createShells, type Shells } from './shells.ts';
import { lineMaskOf } from './line-mask.ts';
import { maskedNow, startMasking } from './masking.ts';
import { ownToken } from './token.ts';

/** Sweep of old sessions: hourly is often enough for limits of days and of ten sessions. */
const SWEEP_EVERY_MS = 3_600_000;
/** The landing page is asked for by every open page; within a second they share one answer. */
const NOW_FRESH_MS = 900;
/** Messages kept for followers that are slow. */
const KEPT_MESSAGES = 200;
const HEALTH_MINUTES = 5;
/** Everything that runs until the agent ends listens to one signal; Node warns of the eleventh, since it is mostly a leak. */
const MAX_ENDING_LISTENERS = 64;

export interface Agent {
  readonly version: string;
  readonly config: Config;
  readonly token: string;
  readonly platform: Platform;
  readonly store: Store;
  readonly observed: Observer;
  readonly lead: Lead;
  readonly operations: Operations;
  readonly sessionFeed: Feed<Session>;
  readonly operationFeed: Feed<Operation>;
  readonly log: Log;
  /** Masks secrets in text that leaves the process, the values of the site's own secret variables included. */
  mask(text: string): string;
  /** As of the last look; unknown before the first. */
  health(): Health;
  info(): Promise<AgentInfo>;
  doctor(): Promise<Doctor>;
  /** Masked, as everything that is shown. */
  now(minutes: number): Promise<Now>;
  /** Dumps, profiles and heaps of sessions, read for the page. */
  readonly looks: Looks;
  /** The only way to files that a user names. */
  readonly files: Files;
  readonly rules: Rules;
  /** What can be done to the whole site. */
  readonly cure: Cure;
  readonly autoHeal: AutoHeal;
  readonly shells: Shells;
  /** What stands behind Kudu's API. */
  readonly kudu: Kudu;
  /** A close look at one process. */
  readonly explorer: Explorer;
  readonly environment: SiteEnvironment;
  /** For this process, else for the worker. */
  diagnosers(pid?: number): z.infer<typeof DiagnoserInfo>[];
  diagnose(choice: z.infer<typeof StartSession>, who: string): Promise<z.infer<typeof SessionAccepted>>;
  pin(id: SessionId, pinned: boolean): Promise<Session>;
  /** Also a session whose end the disk did not take: its room may be just what is missing. */
  remove(id: SessionId): Promise<void>;
  /** The bundle as a file on disk, made when it is not there yet. */
  bundle(id: SessionId, signal: AbortSignal): Promise<string>;
  restart(target: ProcessKey & { reason?: string | undefined }, who: string, how?: RestartHow): Promise<z.infer<typeof RestartDone>>;
  /** Who did what; a record that cannot be written is logged, the deed is not undone. */
  audit(who: string, did: string, what: string, result: string): Promise<void>;
  stop(): Promise<void>;
}

export interface AgentFiles {
  /** The built worker entry for analyzers; absent: they run in this thread. */
  readonly analyzeWorker?: string;
  /** report.css, put into every report.html. */
  readonly reportCss: string;
}

/** Everything that the agent is made of, before it offers anything. */
export interface Parts {
  readonly config: Config;
  readonly platform: Platform;
  readonly store: Store;
  readonly observed: Observer;
  readonly sessions: Sessions;
  /** What only one agent of an instance may do asks here first. */
  readonly lead: Lead;
  readonly operations: Operations;
  readonly sessionFeed: Feed<Session>;
  readonly operationFeed: Feed<Operation>;
  readonly log: Log;
  audit(who: string, did: string, what: string, result: string): Promise<void>;
}

/** @throws what the home or the files say when they cannot be used */
export async function startAgent(config: Config, files: AgentFiles): Promise<Agent> {
  const platform = await openPlatform({ home: config.home, env: config.env, processes: config.processes });
  const { folders } = platform.host;
  const { instance } = platform.host.app;
  const ownLogs = join(folders.own, 'logs', config.webJob ? `${instance}-webjob` : instance);   // one writer a file: several instances share the home
  await mkdir(ownLogs, { recursive: true });
  const log = openLog(ownLogs);
  const lead = await createLead(platform, log);
  const store = await openStore({ platform, leads: () => lead.leads() });
  const token = config.token ?? await ownToken(folders.own);
  const reportCss = await readFile(files.reportCss, 'utf8');
  if (lead.leads()) await recover(store, platform, log);
  const ending = new AbortController();
  setMaxListeners(MAX_ENDING_LISTENERS, ending.signal);
  const observed = await startObserver({ platform, store, logs: openLogs({ platform, mask: lineMaskOf(() => masking.masker()) }), signal: ending.signal, leads: () => lead.leads() });
  const sessions = createSessions({ platform, store, observed, diagnosers, analyzers, thread: files.analyzeWorker, toolVersion: VERSION, reportCss });
  const audit = auditTo(store, platform, log);
  const parts: Parts = { config, platform, store, observed, sessions, lead, operations: createOperations(), sessionFeed: createFeed<Session>(KEPT_MESSAGES), operationFeed: createFeed<Operation>(KEPT_MESSAGES), log, audit };
  const masking = startMasking(platform, observed, log, ending.signal);
  const sweeping = sweep(parts, ending.signal);
  const userFiles = createFiles({ ...parts, mask: masking.mask }, config.fileRoots);
  const tidying = userFiles.tidy(ending.signal);
  const leading = lead.keep({ store, taken: async () => { await recover(store, platform, log); await observed.lead(); } }, ending.signal);
  const now = freshNow(parts, masking.mask);
  const management = await managementOf(config.env, masking.mask);
  const rules = await startRules(parts, config, masking.mask, management);
  const cure = startCure(parts, config, management, { mask: masking.mask, asked: (target) => { rules.asked(target); } });
  const kudu = createKudu(parts, config, masking);
  const shells = createShells(parts, config);
  const environment = startEnvironment(parts, config, masking.mask, ending.signal);
  const startedAt = platform.clock.now();
  return {
    version: VERSION, token, ...parts,
    mask: masking.mask,
    health: () => now.health(),
    info: async () => infoOf(parts, startedAt, (await now.of(HEALTH_MINUTES)).health, rules),
    doctor: () => doctor(parts, config),
    now: (minutes) => now.of(minutes),
    looks: createLooks(parts, files.analyzeWorker),
    files: userFiles,
    shells,
    rules,
    cure,
    autoHeal: autoHealOf(parts, config, masking.mask, (target) => { rules.asked(target); }),
    kudu,
    explorer: createExplorer(parts, config, masking.mask),
    environment,
    diagnosers: (pid) => describeDiagnosers(diagnosers, pid === undefined ? workerOf(observed.processes()) : observed.processes().find((one) => one.pid === pid), platform),
    diagnose: (choice, who) => diagnoseWith(parts, choice, who),
    pin: (id, pinned) => pin(parts, id, pinned),
    remove: (id) => store.sessions.remove(id, sessions.isOver(id)),
    bundle: (session, signal) => bundleFile({ platform, store, session, signal }),
    restart: (target, who, how) => { rules.asked(target); return restartWith(parts, target, who, how); },
    async stop() {
      cure.stop();
      rules.stop();                                            // before their sessions: what is unfinished is the next agent's
      await shells.stop();
      parts.operations.cancelAll();
      await kudu.close();
      await sessions.idle();
      ending.abort();
      await Promise.all([observed.stopped, masking.stopped, rules.stopped, cure.stopped, environment.stopped, sweeping, tidying, leading]);
      await store.close();
      await lead.release();
      platform.close();
      await log.flush();
    },
  };
}

function auditTo(store: Store, platform: Platform, log: Log): Parts['audit'] {
  return async (who, did, what, result) => {
    try {
      await store.audit.append({ at: platform.clock.now(), who, did, what, result });
    } catch (error) {
      log.error('the audit could not be written', { who, did, what, result }, error);
    }
  };
}

/** One answer a second for all who ask. */
function freshNow({ platform, observed, store }: Parts, mask: (text: string) => string): { of(minutes: number): Promise<Now>; health(): Health } {
  const kept = new Map<number, { at: number; now: Promise<Now> }>();
  let health: Health = { word: 'unknown', reason: 'Nobody has looked yet.' };
  return {
    health: () => health,
    async of(minutes) {
      const at = platform.clock.now();
      const fresh = kept.get(minutes);
      if (fresh && at - fresh.at < NOW_FRESH_MS && at >= fresh.at) return fresh.now;
      const now = nowOf(observed, store.history, minutes, at).then((found) => maskedNow(found, mask));
      kept.clear();                                            // one window is looked at by nearly all; others make their own
      kept.set(minutes, { at, now });
      if (minutes === HEALTH_MINUTES) ({ health } = await now);
      return now;
    },
  };
}

async function infoOf({ platform, store, observed }: Parts, startedAt: number, health: Health, rules: Pick<Rules, 'lost'>): Promise<AgentInfo> {
  const room = await store.artifacts.room();
  return {
    version: VERSION,
    app: platform.host.app,
    startedAt,
    at: platform.clock.now(),
    capabilities: Capability.options.map((id) => ({ id, offer: platform.can(id) })),
    samplers: [...observed.health()],
    store: room,
    lost: [...observed.lost(), ...store.lost(), ...rules.lost()],
    health,
  };
}

async function pin({ store, sessionFeed }: Parts, id: SessionId, pinned: boolean): Promise<Session> {
  const before = await store.sessions.get(id);
  if (before.state === 'running') throw new DiagError('SESSION_RUNNING', { session: id });   // its runner would write over the pin
  const session = { ...before, pinned };
  await store.sessions.save(session);
  sessionFeed.publish(session);
  return session;
}

/** A record that the disk does not take (it is full: the very trouble to be looked at) must not keep the agent from its start. */
async function recover(store: Store, platform: Platform, log: Log): Promise<void> {
  try {
    for (const id of await store.sessions.recover(platform.clock.now())) log.warn('the agent ended in mid-session', { session: id });
  } catch (error) {
    log.error('sessions of an earlier run could not be recovered', {}, error);
  }
}

/** Ageing: at the start and hourly, by the agent that leads. A sweep that fails is logged and tried again. */
async function sweep({ store, platform, log, lead }: Parts, signal: AbortSignal): Promise<void> {
  const once = async (): Promise<void> => {
    if (!lead.leads()) return;
    try {
      for (const id of await store.sessions.sweep(platform.clock.now())) log.info('session aged out', { session: id });
    } catch (error) {
      log.error('the sweep of old sessions failed', {}, error);
    }
  };
  await once();
  for await (const _ of platform.clock.every(SWEEP_EVERY_MS, signal)) {
    void _;
    await once();
  }
}
