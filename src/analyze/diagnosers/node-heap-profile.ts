// Owns the sampling heap profile of the Node process under study: who allocates what stays alive.
import { z } from 'zod';
import { heapProfile } from '../../platform/node-heap.ts';
import type { Diagnoser } from '../contracts.ts';
import { collectProfile, ProfileOptions, SECONDS } from '../node-profile.ts';
import { withTarget } from '../target.ts';

export const nodeHeapProfile: Diagnoser<z.infer<typeof ProfileOptions>> = {
  id: 'node-heap-profile',
  title: 'Heap profile of Node',
  about: 'Which functions allocate what is still alive at its end, by sampling; the way to a leak where a heap snapshot would endanger the app.',
  options: ProfileOptions,
  cost: 'slows-app',
  costNote: `Takes ${SECONDS} s unless said; does not stop the app. By the preload where the app carries it; else its inspector is opened on this machine alone, and closed again.`,
  preselected: false,
  produces: ['heap-profile'],
  offered: (target, platform) => withTarget(target, target ? platform.nodeReportOffered(target) : { yes: true }),
  collect: (run) => collectProfile(run, 'heap-profile', heapProfile),
};
