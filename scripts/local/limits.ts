// Owns the limits of the local App Service: their App Service defaults, and how a flag or a variable changes one.

/** Everything that can be set smaller so that a test need not wait. Times in ms, sizes in bytes. */
export interface Limits {
  /** HttpPlatformHandler's requestTimeout: how long the worker may say nothing before 502.3/12002. */
  readonly handlerLimitMs: number;
  /** The front end's own limit on a request without bytes: 500.121. */
  readonly requestLimitMs: number;
  /** This many failures inside `rapidFailWindowMs` stop the worker: 503.0. */
  readonly rapidFailCount: number;
  readonly rapidFailWindowMs: number;
  /** Pause before the first restart after a failure; doubles with each further failure, up to 16 times. */
  readonly backOffMs: number;
  /** A worker that does not accept on its port after this long is ended: a failed start. */
  readonly startLimitMs: number;
  /** What a worker gets between SIGTERM and SIGKILL when the site stops. */
  readonly stopGraceMs: number;
  /** In an overlapped restart the old worker gets this long to answer what it has. */
  readonly drainMs: number;
  /** A raw log of this size is closed and a new file begun. */
  readonly rowFileBytes: number;
  /** The same for the worker's stdout and stderr. */
  readonly outputFileBytes: number;
}

export const defaultLimits: Limits = {
  handlerLimitMs: 120_000, // HttpPlatformHandler's default
  requestLimitMs: 230_000, // the platform's absolute limit on Windows
  rapidFailCount: 10, // HttpPlatformHandler's rapidFailsPerMinute
  rapidFailWindowMs: 60_000,
  backOffMs: 250, // ten failures in a row then take about 30 s, so rapid-fail is reached inside its minute
  startLimitMs: 60_000,
  stopGraceMs: 2_000,
  drainMs: 30_000, // IIS gives a worker 90 s; nobody waits so long in front of a terminal
  rowFileBytes: 10 * 1024 * 1024,
  outputFileBytes: 5 * 1024 * 1024,
};

export const limitNames = Object.keys(defaultLimits) as readonly (keyof Limits)[];

/** `handlerLimitMs` → `handler-limit-ms`, the flag's name without its dashes. */
export function flagOf(name: keyof Limits): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `handlerLimitMs` → `LOCAL_HANDLER_LIMIT_MS`, the variable that a flag overrides. */
export function variableOf(name: keyof Limits): string {
  return `LOCAL_${flagOf(name).replaceAll('-', '_').toUpperCase()}`;
}

/** The defaults, changed by variables, changed by flags. Throws a `RangeError` naming the one that is not a whole number above 0. */
export function readLimits(
  flags: Readonly<Record<string, unknown>>,
  variables: Readonly<Record<string, string | undefined>>,
): Limits {
  const limits: Record<keyof Limits, number> = { ...defaultLimits };
  for (const name of limitNames) {
    const flag = flags[flagOf(name)];
    const text = typeof flag === 'string' ? flag : variables[variableOf(name)];
    if (text === undefined) continue;
    // 2^31-1 is the longest delay a Node timer can hold: above it the timer fires at once.
    if (!/^[1-9]\d{0,9}$/.test(text) || Number(text) > 2_147_483_647) {
      throw new RangeError(`--${flagOf(name)} wants a whole number from 1 to 2147483647, not "${text.slice(0, 40)}"`);
    }
    limits[name] = Number(text);
  }
  return limits;
}
