// Owns the list of faults, one folder each.
import { cpuSaturated } from './cpu-saturated/fault.ts';
import { crashLoop } from './crash-loop/fault.ts';
import { crashNative } from './crash-native/fault.ts';
import { crashUncaughtException } from './crash-uncaught-exception/fault.ts';
import { crashUnhandledRejection } from './crash-unhandled-rejection/fault.ts';
import { eventLoopBlocked } from './event-loop-blocked/fault.ts';
import { gcThrashing } from './gc-thrashing/fault.ts';
import { healthyShop } from './healthy-shop/fault.ts';
import { heapLimitReached } from './heap-limit-reached/fault.ts';
import { memoryLeakJs } from './memory-leak-js/fault.ts';
import { nginxWrongPort } from './nginx-wrong-port/fault.ts';
import { notListening } from './not-listening/fault.ts';
import { startupFailure } from './startup-failure/fault.ts';
import { startupSlowButComes } from './startup-slow-but-comes/fault.ts';
import { startupTooSlow } from './startup-too-slow/fault.ts';
import { wrongPort } from './wrong-port/fault.ts';
import type { Fault } from './lab/fault.ts';

export const faults: readonly Fault[] = [
  cpuSaturated,
  crashLoop,
  crashNative,
  crashUncaughtException,
  crashUnhandledRejection,
  eventLoopBlocked,
  gcThrashing,
  healthyShop,
  heapLimitReached,
  memoryLeakJs,
  nginxWrongPort,
  notListening,
  startupFailure,
  startupSlowButComes,
  startupTooSlow,
  wrongPort,
];
