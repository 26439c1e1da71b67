// Owns the list of causes; its order decides nothing.
import type { CauseRule } from './cause.ts';
import { applicationError } from './application-error.ts';
import { badConfiguration } from './bad-configuration.ts';
import { badDeployment } from './bad-deployment.ts';
import { clientAborts } from './client-aborts.ts';
import { connectionPoolExhausted } from './connection-pool-exhausted.ts';
import { cpuSaturated } from './cpu-saturated.ts';
import { crashLoop } from './crash-loop.ts';
import { crashNative } from './crash-native.ts';
import { crashUncaughtException } from './crash-uncaught-exception.ts';
import { crashUnhandledRejection } from './crash-unhandled-rejection.ts';
import { deadlock } from './deadlock.ts';
import { dependencyDown } from './dependency-down.ts';
import { descriptorExhaustion } from './descriptor-exhaustion.ts';
import { developerErrorsHidden } from './developer-errors-hidden.ts';
import { diskFull } from './disk-full.ts';
import { dnsFailure } from './dns-failure.ts';
import { eventLoopBlocked } from './event-loop-blocked.ts';
import { exitUnexplained } from './exit-unexplained.ts';
import { gcThrashing } from './gc-thrashing.ts';
import { handlerTimeLimit } from './handler-time-limit.ts';
import { heapLimitReached } from './heap-limit-reached.ts';
import { javaDeadlock } from './java-deadlock.ts';
import { javaHeapExhausted } from './java-heap-exhausted.ts';
import { keepAliveRace } from './keep-alive-race.ts';
import { memoryLeakJs } from './memory-leak-js.ts';
import { memoryLeakNative } from './memory-leak-native.ts';
import { notListening } from './not-listening.ts';
import { oneSickInstance } from './one-sick-instance.ts';
import { outOfMemoryKilled } from './out-of-memory-killed.ts';
import { phpFatalError } from './php-fatal-error.ts';
import { phpWorkersExhausted } from './php-workers-exhausted.ts';
import { platformTimeLimit } from './platform-time-limit.ts';
import { recycledByRule } from './recycled-by-rule.ts';
import { recycledByUser } from './recycled-by-user.ts';
import { responseHeaderInvalid } from './response-header-invalid.ts';
import { slowDependency } from './slow-dependency.ts';
import { socketExhaustion } from './socket-exhaustion.ts';
import { startupFailure } from './startup-failure.ts';
import { startupTooSlow } from './startup-too-slow.ts';
import { threadPoolExhausted } from './thread-pool-exhausted.ts';
import { trafficSpike } from './traffic-spike.ts';
import { wrongPort } from './wrong-port.ts';

export const causes: readonly CauseRule[] = [
  applicationError, badConfiguration, badDeployment, clientAborts, connectionPoolExhausted, cpuSaturated, crashLoop, crashNative,
  crashUncaughtException, crashUnhandledRejection, deadlock, dependencyDown, descriptorExhaustion, developerErrorsHidden, diskFull, dnsFailure,
  eventLoopBlocked, exitUnexplained, gcThrashing, handlerTimeLimit, heapLimitReached, javaDeadlock, javaHeapExhausted, keepAliveRace, memoryLeakJs,
  memoryLeakNative, notListening, oneSickInstance, outOfMemoryKilled, phpFatalError, phpWorkersExhausted, platformTimeLimit, recycledByRule,
  recycledByUser, responseHeaderInvalid, slowDependency, socketExhaustion, startupFailure, startupTooSlow, threadPoolExhausted, trafficSpike,
  wrongPort,
];
