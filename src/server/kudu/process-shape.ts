// Owns one process as Kudu describes it: its own figures, threads, program files, open files and variables, each absent where the system does not tell.
import { maskVariables } from '../../shared/mask.ts';
import { DiagError } from '../../shared/errors.ts';
import type { ProcessInfo } from '../../shared/model.ts';
import type { Account, Module, Thread, Usage, Variable } from '../../platform/platform.ts';
import type { Agent } from '../../agent/agent.ts';
import { bare, bareName, instant, timeSpan } from './shape.ts';

/** In the list of processes. */
export function listed(agent: Agent, info: ProcessInfo, href: string): object {
  return { id: info.pid, name: bareName(info.name), machineName: agent.platform.host.app.machine, href, ...(info.user === undefined ? {} : { user_name: info.user }) };
}

/** `base`: the address of all processes. */
export async function described(agent: Agent, info: ProcessInfo, all: readonly ProcessInfo[], base: string, signal: AbortSignal): Promise<object> {
  const { platform } = agent;
  const { pid } = info;
  const href = `${base}/${pid}`;
  const [usage, account, threads, modules, files, variables] = await Promise.all([
    told(platform.usage([pid], signal)), told(platform.account?.(pid, signal) ?? Promise.resolve(undefined)), told(platform.threads(pid, signal)), told(platform.modules(pid, signal)), told(platform.openFiles(pid, signal)), told(platform.environment(pid, signal)),
  ]);
  return bare({
    ...listed(agent, info, href),
    minidump: `${href}/dump`,
    is_profile_running: agent.kudu.profiles.isRunning(pid),
    ...(info.parent === undefined || info.parent === 0 ? {} : { parent: `${base}/${info.parent}` }),
    children: all.filter(({ parent }) => parent === pid).map((child) => `${base}/${child.pid}`),
    threads: threads?.map((one) => threadListed(one, `${href}/threads/${one.id}`)),
    open_file_handles: files?.map(agent.mask),
    modules: modules === undefined ? undefined : sorted(modules).map((one) => moduleListed(one, `${href}/modules/${bareAddress(one)}`)),
    file_name: info.path,
    command_line: info.commandLine === undefined ? undefined : agent.mask(info.commandLine),
    ...figures(usage?.get(pid), account, threads?.length),
    module_count: modules?.length,
    start_time: instant(info.startedAt),
    time_stamp: instant(platform.clock.now()),
    environment_variables: variables === undefined ? undefined : shown(variables, agent.mask),
    is_scm_site: info.role === 'scm' || variables?.some(({ name, value }) => name === 'APP_POOL_ID' && value.startsWith('~1')),
    is_webjob: variables?.some(({ name }) => name === 'WEBJOBS_NAME'),
  });
}

/** What this system does not let us see is not there, as it is with Kudu. */
async function told<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DiagError && error.code !== 'PROCESS_GONE') return undefined;
    throw error;
  }
}

function figures(usage: Usage | undefined, account: Account | undefined, threads: number | undefined): object {
  const span = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : timeSpan(ms));
  return {
    handle_count: usage?.handles, thread_count: usage?.threads ?? threads,
    total_cpu_time: span(usage?.cpuMs), user_cpu_time: span(account?.userMs), privileged_cpu_time: span(account?.kernelMs),
    working_set: usage?.workingSetBytes, peak_working_set: account?.peakWorkingSetBytes,
    private_memory: usage?.privateBytes, virtual_memory: account?.virtualBytes, peak_virtual_memory: account?.peakVirtualBytes,
    paged_memory: account?.pagedBytes, peak_paged_memory: account?.peakPagedBytes, paged_system_memory: account?.pagedPoolBytes, non_paged_system_memory: account?.nonPagedPoolBytes,
  };
}

/** Masked by name and by value, as everywhere: Kudu shows them in clear. */
export function shown(variables: readonly Variable[], mask: (text: string) => string): Record<string, string> {
  return Object.fromEntries(maskVariables(variables).map(({ name, value }) => [name, mask(value)]));
}

/** The words of .NET for the states of a thread. */
const STATES: Readonly<Record<NonNullable<Thread['state']>, string>> = { running: 'Running', waiting: 'Wait', uninterruptible: 'Wait', stopped: 'Wait', traced: 'Wait', ended: 'Terminated', idle: 'Wait' };

const stateOf = ({ state }: Thread): string => (state === undefined ? 'Unknown' : STATES[state]);

export function threadListed(one: Thread, href: string): object {
  return { id: one.id, href, state: stateOf(one) };
}

/** `priviledged` is Kudu's own spelling, and its clients read it. */
export function threadDescribed(one: Thread, href: string): object {
  const { cpuMs, userMs, kernelMs, startedAt, priority, basePriority, startAddress, waitsIn, state, name } = one;
  return {
    ...threadListed(one, href),
    process: href.slice(0, href.lastIndexOf('/threads/')),
    ...bare({
      name, start_address: startAddress, current_priority: priority, base_priority: basePriority,
      start_time: startedAt === undefined ? undefined : instant(startedAt),
      total_processor_time: cpuMs === undefined ? undefined : timeSpan(cpuMs),
      user_processor_time: userMs === undefined ? undefined : timeSpan(userMs),
      priviledged_processor_time: kernelMs === undefined ? undefined : timeSpan(kernelMs),
      wait_reason: waitsIn ?? (state === 'uninterruptible' ? 'Disk' : undefined),
    }),
  };
}

const fileOf = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

/** Hexadecimal without its mark, as Kudu writes it. */
export const bareAddress = ({ address }: Module): string => address.replace(/^0x/i, '').toLowerCase();

export const sorted = (modules: readonly Module[]): Module[] => [...modules].sort((a, b) => (fileOf(a.path).toLowerCase() < fileOf(b.path).toLowerCase() ? -1 : 1));

export function moduleListed(one: Module, href: string): object {
  return { base_address: bareAddress(one), file_name: fileOf(one.path), href, ...(one.version === undefined ? {} : { file_version: one.version }) };
}

export function moduleDescribed(one: Module, href: string): object {
  return { ...moduleListed(one, href), file_path: one.path, module_memory_size: one.sizeBytes };
}
