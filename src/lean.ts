// Owns how little memory the agent takes: set before anything else is loaded, and given back at rest.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// The young generation stays at its first size (2 MB) instead of growing to 32 MB: at rest the agent allocates slowly, and its
// neighbours on a small plan need the memory more. Tried under stress on Node 20, 22 and 24. About 10 MB less at rest.
setFlagsFromString('--semi-space-growth-factor=1');
// So little is emptied sooner by one thread than by several that wait for each other: where the app keeps the processors busy, that was up to 20 ms.
setFlagsFromString('--no-parallel-scavenge');
setFlagsFromString('--expose-gc');

/** V8 would let garbage grow to many times the live heap before it looks for the first time; one look costs about 12 ms. */
export const COLLECT_EVERY_MS = 60_000;

export const collectGarbage = runInNewContext('gc') as () => void;
