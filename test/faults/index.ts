// Owns the list of faults, one folder each.
import { applicationError, applicationErrorSilent } from './application-error/fault.ts';
import { badConfiguration, badConfigurationAtStart } from './bad-configuration/fault.ts';
import { badDeployment, recycledByUser } from './changes/fault.ts';
import { controlBusy, controlSlowByDesign, controlNotFoundStorm, controlClientAborts, controlDeployment, controlBigHeap } from './controls/fault.ts';
import { cpuSaturated } from './cpu-saturated/fault.ts';
import { crashLoop } from './crash-loop/fault.ts';
import { crashNative } from './crash-native/fault.ts';
import { crashUncaughtException } from './crash-uncaught-exception/fault.ts';
import { crashUnhandledRejection } from './crash-unhandled-rejection/fault.ts';
import { deadlock } from './deadlock/fault.ts';
import { slowDependency, slowDependencyTimeouts, dependencyDown, dnsFailure, connectionPoolExhausted } from './dependent-api/fault.ts';
import { descriptorExhaustion } from './descriptor-exhaustion/fault.ts';
import { developerErrorsHidden } from './developer-errors-hidden/fault.ts';
import { diskFull } from './disk-full/fault.ts';
import { eventLoopBlocked } from './event-loop-blocked/fault.ts';
import { gcThrashing } from './gc-thrashing/fault.ts';
import { lateCrash, lateNative, lateHeap, lateHeader, twoCrashAndDependency } from './hard/fault.ts';
import { healthyShop } from './healthy-shop/fault.ts';
import { heapLimitReached } from './heap-limit-reached/fault.ts';
import { javaDeadlock, javaHeapExhausted } from './java/fault.ts';
import { keepAliveRace } from './keep-alive-race/fault.ts';
import { memoryLeakJs } from './memory-leak-js/fault.ts';
import { memoryLeakNative } from './memory-leak-native/fault.ts';
import { handlerTimeLimit, platformTimeLimit } from './never-answers/fault.ts';
import { nginxUpstreamDown, nginxTimeout, nginxCrash, nginxHeaderTooBig, nginxOneOfThree } from './nginx-front/fault.ts';
import { nginxWrongPort } from './nginx-wrong-port/fault.ts';
import { notListening } from './not-listening/fault.ts';
import { outOfMemoryKilled } from './out-of-memory-killed/fault.ts';
import { phpFatalError, phpMemoryLimit, phpWorkersExhausted } from './php/fault.ts';
import { poolOfDatabase } from './pooled-database/fault.ts';
import { mysqlLocked, mysqlPool, postgresLocked, redisGone } from './real-database/fault.ts';
import { recycledByRule } from './recycled-by-rule/fault.ts';
import { responseHeaderInvalid } from './response-header-invalid/fault.ts';
import { socketExhaustion } from './socket-exhaustion/fault.ts';
import { startupFailure } from './startup-failure/fault.ts';
import { startupSlowButComes } from './startup-slow-but-comes/fault.ts';
import { startupTooSlow } from './startup-too-slow/fault.ts';
import { javaPoolExhausted, threadPoolExhausted } from './thread-pool-exhausted/fault.ts';
import { trafficSpike } from './traffic-spike/fault.ts';
import { wrongPort } from './wrong-port/fault.ts';
import type { Fault } from './lab/fault.ts';

export const faults: readonly Fault[] = [
  badDeployment, recycledByUser, controlBusy, controlSlowByDesign, controlNotFoundStorm, controlClientAborts,
  controlDeployment, controlBigHeap, cpuSaturated, crashLoop, crashNative, crashUncaughtException,
  crashUnhandledRejection, slowDependency, slowDependencyTimeouts, dependencyDown, dnsFailure, connectionPoolExhausted,
  descriptorExhaustion, diskFull, eventLoopBlocked, gcThrashing, lateCrash, lateNative,
  lateHeap, lateHeader, twoCrashAndDependency, healthyShop, heapLimitReached, javaDeadlock,
  javaHeapExhausted, keepAliveRace, memoryLeakJs, handlerTimeLimit, platformTimeLimit, nginxUpstreamDown,
  nginxTimeout, nginxCrash, nginxHeaderTooBig, nginxOneOfThree, nginxWrongPort, notListening,
  phpFatalError, phpMemoryLimit, phpWorkersExhausted, poolOfDatabase, responseHeaderInvalid, startupFailure,
  startupSlowButComes, startupTooSlow, wrongPort, applicationError, applicationErrorSilent, badConfiguration,
  badConfigurationAtStart, deadlock, developerErrorsHidden, javaPoolExhausted, memoryLeakNative, outOfMemoryKilled,
  recycledByRule, socketExhaustion, threadPoolExhausted, trafficSpike,
  mysqlPool, mysqlLocked, postgresLocked, redisGone,
];
