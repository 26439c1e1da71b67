// Owns how little memory the agent takes: set before anything else is loaded.
import { setFlagsFromString } from 'node:v8';

// The young generation stays at its first size (2 MB) instead of growing to 32 MB: at rest the agent allocates slowly, and its
// neighbours on a small plan need the memory more. Tried under stress on Node 20, 22 and 24. About 10 MB less at rest.
setFlagsFromString('--semi-space-growth-factor=1');
