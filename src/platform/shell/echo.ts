// Owns the echo of shells that repeat what they read from a pipe (cmd, PowerShell): it is taken out of their output, since we have shown it while it was typed. Pure.

export interface Echo {
  /** Sent and not yet seen again. */
  readonly expected: readonly string[];
  /** What of the first expected line has come already. */
  readonly seen: string;
  /** The last sign of the output that is none of white space: an echo follows a prompt only. */
  readonly last: string;
}

/** Lines sent ahead of a shell that is busy; of those beyond, the echo is shown. */
const MAX_EXPECTED = 100;

export const noEcho: Echo = { expected: [], seen: '', last: '' };

export function expect(echo: Echo, line: string): Echo {
  if (line === '' || echo.expected.length >= MAX_EXPECTED) return echo;
  return { ...echo, expected: [...echo.expected, line] };
}

/** The output without the echo. A line that does not follow its prompt at once is not waited for: that shell, or what it runs, repeats nothing. */
export function strip(echo: Echo, output: string): { echo: Echo; output: string } {
  if (echo.expected.length === 0) return { echo: { ...echo, last: lastOf(echo.last, output) }, output };
  let { expected, seen, last } = echo;
  let shown = '';
  for (const sign of output) {
    const [wanted] = expected;
    const isDue = wanted !== undefined && (seen !== '' || last === PROMPT);
    if (isDue && wanted.startsWith(seen + sign)) {
      seen += sign;
      if (seen === wanted) { expected = expected.slice(1); seen = ''; last = ''; }
      continue;
    }
    if (isDue && !(seen === '' && sign === ' ')) { expected = expected.slice(1); shown += seen; seen = ''; last = ''; }
    shown += sign;
    last = lastOf(last, sign);
  }
  return { echo: { expected, seen, last }, output: shown };
}

const PROMPT = '>';

function lastOf(before: string, output: string): string {
  const line = output.slice(output.lastIndexOf('\n') + 1).trimEnd();
  return line === '' ? (output.includes('\n') ? '' : before) : line.at(-1) ?? '';
}
