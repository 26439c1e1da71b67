// Owns the list of analyzers: its order is the order in which they run and in which a session shows them.
import type { Analyzer } from '../contracts.ts';
import { applicationCrashes } from './application-crashes.ts';
import { causes } from './causes.ts';
import { deployments } from './deployments.ts';
import { eventLogErrors } from './event-log-errors.ts';
import { heapSnapshot } from './heap-snapshot.ts';
import { httpFailures } from './http-failures.ts';
import { httpSlow } from './http-slow.ts';
import { httpTraffic } from './http-traffic.ts';
import { inFlight } from './in-flight.ts';
import { memoryDump } from './memory-dump.ts';
import { nodeReport } from './node-report.ts';
import { processHealth } from './process-health.ts';
import { profiles } from './profiles.ts';

export const analyzers: readonly Analyzer[] = [applicationCrashes, httpFailures, httpSlow, httpTraffic, eventLogErrors, processHealth, deployments, nodeReport, inFlight, memoryDump, heapSnapshot, profiles, causes];
