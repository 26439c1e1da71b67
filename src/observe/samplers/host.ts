// Owns the sampling of the host, of the hosting platform's own counters, and of the agent itself.
import type { MetricId } from '../../shared/metrics.ts';
import type { Platform } from '../../platform/platform.ts';
import { Counters } from './rates.ts';
import type { Values } from './process.ts';

/** App Service's names, and ours: the value's, and its limit's where it has one. */
const SANDBOX: Readonly<Record<string, readonly [MetricId, MetricId?]>> = {
  processes: ['sandbox.processes', 'sandbox.process-limit'], threads: ['sandbox.threads', 'sandbox.thread-limit'], connections: ['sandbox.connections', 'sandbox.connection-limit'],
  activeConnections: ['sandbox.active-connections', 'sandbox.active-connection-limit'], sections: ['sandbox.sections', 'sandbox.section-limit'],
  namedPipes: ['sandbox.named-pipes', 'sandbox.named-pipe-limit'], remoteDirMonitors: ['sandbox.dir-monitors', 'sandbox.dir-monitor-limit'],
  privateBytes: ['sandbox.private-bytes'], handles: ['sandbox.handles'], availMemoryBytes: ['sandbox.memory-available'],
};

export class HostSampler {
  readonly #platform: Platform;
  readonly #busy = new Counters();
  readonly #own = new Counters();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Adds host.* to the values. */
  async read(values: Values, signal: AbortSignal): Promise<void> {
    const usage = await this.#platform.hostUsage(signal);
    if (usage.busyMs !== undefined && usage.totalMs !== undefined) {
      // Total time of all cores is the clock of this rate: busy of total is the share, whatever the number of cores.
      const growth = this.#busy.grow(0, usage.cores, usage.busyMs, usage.totalMs / usage.cores);
      if (growth !== undefined) values['host.cpu'] = Math.min(100, growth.by / (growth.overMs * usage.cores) * 100);
    }
    if (usage.memoryUsedBytes !== undefined) values['host.memory-used'] = usage.memoryUsedBytes;
    if (usage.memoryTotalBytes !== undefined) values['host.memory-total'] = usage.memoryTotalBytes;
    // The platform asks the share every 10 s and gives its last answer in between.
    if (usage.diskFreeBytes !== undefined) values['host.disk-free'] = usage.diskFreeBytes;
    if (usage.diskTotalBytes !== undefined) values['host.disk-total'] = usage.diskTotalBytes;
  }

  /** Adds sandbox.* to the values, where the hosting platform counts. */
  readCounters(values: Values): void {
    for (const { group, name, value, limit } of this.#platform.counters()) {
      const [id, limitId] = group === 'app' ? SANDBOX[name] ?? [] : [];
      if (id !== undefined) values[id] = value;
      if (limitId !== undefined && limit !== undefined) values[limitId] = limit;
    }
  }

  /** Adds agent.* to the values; `samplingMs`: how long the samplers worked since the last time, waiting for files included. */
  readOwn(values: Values, samplingMs: number): void {
    const usage = this.#platform.ownUsage();
    const growth = this.#own.grow(0, usage.startedAt, usage.cpuMs, this.#platform.clock.monotonic());
    if (growth !== undefined) values['agent.cpu'] = growth.by / growth.overMs * 100;
    if (usage.workingSetBytes !== undefined) values['agent.working-set'] = usage.workingSetBytes;
    values['agent.sampling'] = samplingMs;
  }
}
