// Owns the list of causes; its order decides nothing.
import type { CauseRule } from './cause.ts';
import { crashLoop } from './crash-loop.ts';
import { crashNative } from './crash-native.ts';
import { crashUncaughtException } from './crash-uncaught-exception.ts';
import { crashUnhandledRejection } from './crash-unhandled-rejection.ts';
import { exitUnexplained } from './exit-unexplained.ts';
import { heapLimitReached } from './heap-limit-reached.ts';
import { outOfMemoryKilled } from './out-of-memory-killed.ts';
import { startupFailure } from './startup-failure.ts';

export const causes: readonly CauseRule[] = [crashUncaughtException, crashUnhandledRejection, crashNative, heapLimitReached, outOfMemoryKilled, exitUnexplained, startupFailure, crashLoop];
