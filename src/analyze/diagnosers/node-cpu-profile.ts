// Owns the CPU profile of the Node process under study: which functions its time goes to.
import { z } from 'zod';
import { cpuProfile } from '../../platform/node-heap.ts';
import type { Diagnoser } from '../contracts.ts';
import { collectProfile, ProfileOptions, SECONDS } from '../node-profile.ts';
import { withTarget } from '../target.ts';

export const nodeCpuProfile: Diagnoser<z.infer<typeof ProfileOptions>> = {
  id: 'node-cpu-profile',
  title: 'CPU profile of Node',
  about: 'Which JavaScript functions the time goes to, sampled each millisecond; for Chrome DevTools and other viewers.',
  options: ProfileOptions,
  cost: 'slows-app',
  costNote: `Takes ${SECONDS} s unless said; slows the app by less than its own variation. By the preload where the app carries it; else its inspector is opened on this machine alone, and closed again.`,
  preselected: false,
  produces: ['cpu-profile'],
  offered: (target, platform) => withTarget(target, target ? platform.nodeReportOffered(target) : { yes: true }),
  collect: (run) => collectProfile(run, 'cpu-profile', cpuProfile),
};
