// Owns the list of diagnosers: its order is the order of collection, cheap and perishable first, what pauses the app last.
import type { Diagnoser } from '../contracts.ts';
import { appInside } from './app-inside.ts';
import { applicationLogs } from './application-logs.ts';
import { changes } from './changes.ts';
import { connections } from './connections.ts';
import { deployments } from './deployments.ts';
import { environment } from './environment.ts';
import { eventLog } from './event-log.ts';
import { failedRequestTraces } from './failed-request-traces.ts';
import { httpLogs } from './http-logs.ts';
import { javaFlightRecording } from './java-flight-recording.ts';
import { javaHeapHistogram } from './java-heap-histogram.ts';
import { javaThreadDump } from './java-thread-dump.ts';
import { memoryDump } from './memory-dump.ts';
import { metrics } from './metrics.ts';
import { nodeCpuProfile } from './node-cpu-profile.ts';
import { nodeExceptions } from './node-exceptions.ts';
import { nodeHeapProfile } from './node-heap-profile.ts';
import { nodeHeapSnapshot } from './node-heap-snapshot.ts';
import { nodeHeapWatch } from './node-heap-watch.ts';
import { nodeInFlight } from './node-in-flight.ts';
import { nodeReport } from './node-report.ts';
import { openFiles } from './open-files.ts';
import { phpErrorLog } from './php-error-log.ts';
import { phpProcessReport } from './php-process-report.ts';
import { processList } from './process-list.ts';

export const diagnosers: readonly Diagnoser[] = [
  processList, openFiles, connections, environment, metrics, changes, appInside, httpLogs as Diagnoser, eventLog, failedRequestTraces, applicationLogs, phpErrorLog, phpProcessReport, deployments, javaThreadDump, nodeReport, nodeExceptions as Diagnoser, nodeHeapWatch, nodeInFlight as Diagnoser,
  nodeCpuProfile as Diagnoser, nodeHeapProfile as Diagnoser, javaFlightRecording as Diagnoser, javaHeapHistogram as Diagnoser, memoryDump, nodeHeapSnapshot as Diagnoser,
];

/** Collected in every session, asked for or not: they cost nothing, and every report stands on them. */
export const ALWAYS: readonly string[] = ['metrics', 'changes'];
