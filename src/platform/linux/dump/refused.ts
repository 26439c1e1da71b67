// Owns the words with which our own dump writer declines a target, so that the next engine can be tried and the reason be told.

export type Reason = 'gone' | 'denied' | 'unstoppable' | 'stopped' | 'architecture' | 'seccomp' | 'shadow-stack' | 'no-place' | 'no-memory' | 'clone-failed' | 'untracked' | 'busy';

/** Nothing was changed in the target, or all of it was put back. */
export class Refused extends Error {
  readonly reason: Reason;
  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
