// Owns what the terminal tells the agent of the bytes it has drawn, and when its answers count: not while it repeats what was.

/** After so many bytes drawn the agent is told: a small part of its window, so that it never waits for the telling. */
export const TELL_BYTES = 32 * 1024;

export interface Flow {
  /** A new connection: what comes now counts from zero. */
  begin(replayBytes: number): void;
  /** Bytes have come; call the answer when they are drawn. */
  came(bytes: number): () => void;
  /** What was before is on the screen. */
  readonly isReplayed: boolean;
}

export function createFlow(tell: (seenBytes: number) => void, replayed: () => void): Flow {
  let connection = 0;
  let came = 0;
  let seen = 0;
  let told = 0;
  let replayBytes = 0;
  let isReplayed = false;
  const look = (): void => {
    if (isReplayed || seen < replayBytes) return;
    isReplayed = true;
    replayed();
  };
  return {
    begin(bytes) {
      connection += 1;
      came = 0;
      seen = 0;
      told = 0;
      replayBytes = bytes;
      isReplayed = false;
      look();
    },
    came(bytes) {
      const mine = connection;
      came += bytes;
      return () => {
        if (mine !== connection) return;                       // drawn for a connection that is gone
        seen += bytes;
        if (seen - told >= TELL_BYTES || seen === came) { told = seen; tell(seen); }
        look();
      };
    },
    get isReplayed() { return isReplayed; },
  };
}
