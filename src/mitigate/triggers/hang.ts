// Owns the trigger on an app that does not answer: its event loop, or an address that is probed.
import { duration } from '../../shared/units.ts';
import { UNKNOWN, type Trigger } from './trigger.ts';

export interface Silence { readonly forMs: number }

/** The silence is measured where the question was asked, so it has its time in it: it fires at once. */
export const hang: Trigger<Silence> = {
  type: 'hang',
  judge: ({ forMs }, { silentMs }) => {
    if (silentMs === undefined) return UNKNOWN;
    return { verdict: silentMs >= forMs ? 'yes' : 'no', says: `no answer for ${duration(silentMs)}, the limit is ${duration(forMs)}` };
  },
};
