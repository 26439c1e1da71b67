// Owns the environment of the site as it is shown, kept and compared: masked before anything leaves, hidden values told apart by keyed marks alone.
import { DiagError } from '../shared/errors.ts';
import { groupVariables, type Comparison, type EnvironmentEntry, type EnvironmentOf, type EnvironmentView, type LimitView, type SnapshotView, type Snapshots, type Surroundings } from '../shared/environment.ts';
import { maskVariables } from '../shared/mask.ts';
import type { HostUsage, Platform, Variable } from '../platform/platform.ts';
import { workerOf } from '../analyze/target.ts';
import { MAX_MOMENTS, openEnvironments, type Environments, type KeptEntry, type KeptEnvironment, type Marker } from '../store/environments.ts';
import type { Parts } from './agent.ts';
import type { Config } from './config.ts';
import { compareEnvironments } from './environment-compare.ts';

/** A variable changes only with the worker, which is looked at so often: who diagnoses a minute after a setting was changed is told of it. */
const LOOK_EVERY_MS = 5_000;
/** Other instances see ours at most so old. */
const REFRESH_MS = 600_000;
/** Names in the title of a change; the comparison tells all. */
const NAMED = 5;
/** Runtimes are found by starting them. */
const SURROUNDINGS_MS = 600_000;
const NEAR = 0.8;
/** Of a value that is kept: a longer one is cut and told apart by its mark. */
const KEPT_CHARS = 4_096;
/** Counters are computed at each reading: as texts they would differ always. They are shown as limits. */
const COMPUTED = /^WEBSITE_COUNTERS_/i;

type Mask = (text: string) => string;
export interface SiteEnvironment {
  view(of: 'app' | 'agent', signal: AbortSignal): Promise<EnvironmentView>;
  surroundings(fresh: boolean, signal: AbortSignal): Promise<Surroundings>;
  snapshots(): Promise<Snapshots>;
  /** @throws SNAPSHOT_UNKNOWN */
  compare(left: string, right: string, all: boolean, signal: AbortSignal): Promise<Comparison>;
  /** @throws TOO_MANY */
  save(note: string | undefined, who: string, signal: AbortSignal): Promise<SnapshotView>;
  remove(id: string, who: string): Promise<void>;
  readonly stopped: Promise<void>;
}

/** What of the agent it stands on. */
type Ground = Pick<Parts, 'platform' | 'audit'> & { readonly observed: Pick<Parts['observed'], 'processes' | 'publish'>; readonly lead: Pick<Parts['lead'], 'leads'>; readonly log: Pick<Parts['log'], 'error'> };

export function startEnvironment(parts: Ground, config: Pick<Config, 'env'>, mask: Mask, signal: AbortSignal): SiteEnvironment {
  const { platform, audit } = parts;
  const kept = openEnvironments(platform);
  const read = (of: 'app' | 'agent', stop: AbortSignal): Promise<Read> => variablesOf(parts, config.env, of, stop);
  const now = async (stop: AbortSignal): Promise<KeptEnvironment> => keptOf(platform, await read('app', stop), mask, await kept.marker());
  const named = async (ref: string, stop: AbortSignal): Promise<KeptEnvironment> => {
    if (ref === 'now') return await now(stop);
    const [kind, name = ''] = ref.split(/:(.*)/s);
    return kind === 'moment' ? await kept.moment(name) : await kept.instance(name);
  };
  return {
    view: async (of, stop) => viewOf(platform, await read(of, stop), mask, await platform.hostUsage(stop)),
    surroundings: surroundingsOf(platform, mask),
    snapshots: async () => snapshotsOf(kept, platform.clock.now()),
    async compare(left, right, all, stop) {
      const [a, b] = [await named(left, stop), await named(right, stop)];
      return { left: snapshotView(left, a), right: snapshotView(right, b), ...compareEnvironments(a, b, all) };
    },
    async save(note, who, stop) {
      const one: KeptEnvironment = { ...await now(stop), who, ...(note === undefined || note === '' ? {} : { note: mask(note) }) };
      const id = await kept.saveMoment(one);
      await audit(who, 'save moment', `environment ${id}`, 'saved');
      return snapshotView(`moment:${id}`, one);
    },
    async remove(id, who) {
      await kept.deleteMoment(id);
      await audit(who, 'delete moment', `environment ${id}`, 'deleted');
    },
    stopped: keep(parts, kept, now, signal),
  };
}

interface Read { readonly of: EnvironmentOf; readonly variables: readonly Variable[] }

/** The app's where it can be read, else the agent's own, with the reason. */
async function variablesOf({ platform, observed }: Pick<Ground, 'platform' | 'observed'>, env: Config['env'], of: 'app' | 'agent', signal: AbortSignal): Promise<Read> {
  const own = (because?: string): Read => {
    const self = observed.processes().find(({ pid }) => pid === process.pid);
    const variables = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
    return { variables, of: { kind: 'agent', ...(self === undefined ? {} : { process: { pid: self.pid, startedAt: self.startedAt, name: self.name } }), ...(because === undefined ? {} : { because }) } };
  };
  if (of === 'agent') return own();
  const can = platform.can('environment');
  const worker = workerOf(observed.processes());
  if (!can.yes || worker === undefined) return own(can.yes ? 'no process of the app is running' : can.because);
  try {
    return { variables: await platform.environment(worker.pid, signal), of: { kind: 'app', process: { pid: worker.pid, startedAt: worker.startedAt, name: worker.name } } };
  } catch (error) {
    if (error instanceof DiagError) return own(`that of process ${worker.pid} could not be read: ${error.message}`);
    throw error;
  }
}

interface Shown extends Variable { readonly masked: boolean; readonly raw: string }

/** By the name and form of each, and where one repeats the secret of another. */
function shownOf(variables: readonly Variable[], mask: Mask): Shown[] {
  return maskVariables(variables).map(({ name, value, masked }, i) => {
    const rest = mask(value);
    return { name, value: rest, masked: masked || rest !== value, raw: variables[i]?.value ?? '' };
  });
}

/** Grouped by what they really hold: whether a variable repeats a setting is not to be guessed from two masks. */
function grouped(variables: readonly Variable[], mask: Mask): { readonly entries: readonly { readonly entry: EnvironmentEntry; readonly raw: string }[]; readonly repeated: number } {
  const shown = new Map(shownOf(variables, mask).map((one) => [one.name, one]));
  const { entries, repeated } = groupVariables([...new Map(variables.map((one) => [one.name, one])).values()]);
  return {
    repeated,
    entries: entries.map(({ of, ...rest }) => {
      const { value, masked } = shown.get(of.name) as Shown;
      return { raw: of.value, entry: { ...rest, variable: of.name, value, masked } };
    }),
  };
}

function viewOf(platform: Platform, { of, variables }: Read, mask: Mask, usage: HostUsage): EnvironmentView {
  const { entries, repeated } = grouped(variables, mask);
  const { instance, machine } = platform.host.app;
  return { at: platform.clock.now(), instance, machine, of, repeated, entries: entries.map(({ entry }) => entry), limits: limitsOf(platform, usage) };
}

/** The platform's counters, and what the machine or its container has. */
export function limitsOf(platform: Pick<Platform, 'counters'>, usage: HostUsage): LimitView[] {
  const site = ([['memory', 'Memory', usage.memoryUsedBytes, usage.memoryTotalBytes], ['disk', 'Disk of the home', usage.diskFreeBytes === undefined || usage.diskTotalBytes === undefined ? undefined : usage.diskTotalBytes - usage.diskFreeBytes, usage.diskTotalBytes]] as const)
    .flatMap(([id, title, value, limit]) => (value === undefined ? [] : [limitView(id, title, 'site', value, limit)]));
  return [...site, ...platform.counters().map(({ group, name, value, limit }) => limitView(`${group} ${name}`, titleOf(name), group, value, limit))];
}

function limitView(id: string, title: string, group: LimitView['group'], value: number, limit: number | undefined): LimitView {
  const unit = group === 'site' || /bytes|memory/i.test(id) ? 'bytes' : 'count';
  if (limit === undefined || limit <= 0) return { id, title, group, value, near: false, unit };
  const share = value / limit;
  return { id, title, group, value, limit, share, near: share >= NEAR, unit };
}

/** "activeConnections" → "Active connections". */
function titleOf(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function keptOf(platform: Platform, { of, variables }: Read, mask: Mask, marker: Marker): KeptEnvironment {
  const { entries } = grouped(variables.filter(({ name }) => !COMPUTED.test(name)), mask);
  const { instance, machine } = platform.host.app;
  return { version: 1, at: platform.clock.now(), instance, machine, of: of.kind, keyId: marker.keyId, entries: entries.map(({ entry, raw }): KeptEntry => {
    const { group, name, value, masked } = entry;
    const cut = value.length > KEPT_CHARS;
    return { group, name, value: cut ? `${value.slice(0, KEPT_CHARS)} …` : value, masked, ...(masked || cut ? { mark: marker.mark(name, raw) } : {}) };
  }) };
}

const snapshotView = (ref: string, { at, instance, machine, of, note, who, entries }: KeptEnvironment): SnapshotView => ({ ref, at, instance, machine, of, entries: entries.length, ...(note === undefined ? {} : { note }), ...(who === undefined ? {} : { who }) });

async function snapshotsOf(kept: Environments, at: number): Promise<Snapshots> {
  const { instances, moments, unreadable } = await kept.list();
  return { at, instances: instances.map(({ id, kept: one }) => snapshotView(`instance:${id}`, one)), moments: moments.map(({ id, kept: one }) => snapshotView(`moment:${id}`, one)), maxMoments: MAX_MOMENTS, unreadable };
}

/** One answer for all who ask within ten minutes; a failed one is not kept. */
function surroundingsOf(platform: Platform, mask: Mask): SiteEnvironment['surroundings'] {
  let last: { readonly at: number; readonly found: Promise<Surroundings> } | undefined;
  const gather = async (): Promise<Surroundings> => {
    // Not the request's: others wait for the same answer.
    const { signal } = new AbortController();
    const [runtimes, facts] = [await platform.runtimes(signal), await platform.hostFacts(signal)];
    return { at: platform.clock.now(), runtimes: runtimes.map((one) => ({ ...one, ...(one.because === undefined ? {} : { because: mask(one.because) }) })), facts: [...facts] };
  };
  return async (fresh, signal) => {
    signal.throwIfAborted();
    const now = platform.clock.now();
    if (last === undefined || fresh || now - last.at > SURROUNDINGS_MS) {
      const found = gather();
      last = { at: now, found };
      found.catch(() => { if (last?.found === found) last = undefined; });
    }
    return await last.found;
  };
}

/** The agent that leads writes what its instance has, for the others: when it changed, and else every ten minutes. What a new worker has otherwise than the one before is a change of the site. */
async function keep({ lead, platform, log, observed }: Ground, kept: Environments, now: (signal: AbortSignal) => Promise<KeptEnvironment>, signal: AbortSignal): Promise<void> {
  let worker = '';
  let writtenAt = -Infinity;
  const turn = async (): Promise<void> => {
    const target = workerOf(observed.processes());
    const key = target === undefined ? '' : `${target.pid}:${target.startedAt}`;
    // Without a worker there is nothing of the app to tell: what was told last stays true of it.
    if (!lead.leads() || target === undefined || (key === worker && platform.clock.now() - writtenAt < REFRESH_MS)) return;
    const one = await now(signal);
    if (one.of !== 'app') return;
    const names = key === worker ? [] : changedNames(await kept.own(), one);
    if (names.length > 0) observed.publish({ id: `settings:${key}`, at: target.startedAt, kind: 'configuration', level: 'warning', pid: target.pid, title: titleOfChange(names), ...(names.length > NAMED ? { detail: `Also: ${names.slice(NAMED).join(', ').slice(0, 2_000)}` } : {}) });
    // A crash loop brings a worker every few seconds: the share is spared what says nothing new.
    if (names.length > 0 || platform.clock.now() - writtenAt >= REFRESH_MS) {
      await kept.saveOwn(one);
      await kept.tidy(platform.clock.now());
      writtenAt = platform.clock.now();
    }
    worker = key;
  };
  for await (const _ of platform.clock.every(LOOK_EVERY_MS, signal)) {
    void _;
    try {
      await turn();
    } catch (error) {
      if (!signal.aborted) log.error('the environment of this instance could not be kept', {}, error);
    }
  }
}

/** Settings and connection strings that the later one has otherwise, more or less; where the host tells no settings, variables. Names only: a value may be a secret. */
export function changedNames(before: KeptEnvironment | undefined, after: KeptEnvironment): string[] {
  if (before === undefined || before.of !== after.of) return [];
  const told = [...before.entries, ...after.entries].some(({ group }) => group !== 'variable');
  return compareEnvironments(before, after, false).entries.filter(({ group, difference, expected }) => !expected && difference !== 'cannot-tell' && (group !== 'variable') === told).map(({ name }) => name);
}

function titleOfChange(names: readonly string[]): string {
  const first = names.slice(0, NAMED).join(', ');
  return names.length === 1 ? `The setting ${first} was changed` : `${names.length} settings were changed: ${first}${names.length > NAMED ? ' …' : ''}`;
}
