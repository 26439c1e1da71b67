// Owns waiting for the user to end a command: Ctrl+C, a termination, or a closed pipe.
export function interrupted(): AbortSignal {
  const ended = new AbortController();
  const end = (): void => { ended.abort(); };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  // `diag logs -f | head` closes our pipe: that is an end, not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code === 'EPIPE') end(); });
  return ended.signal;
}

export async function untilSignal(): Promise<void> {
  const signal = interrupted();
  if (signal.aborted) return;
  await new Promise<void>((done) => { signal.addEventListener('abort', () => { done(); }, { once: true }); });
}
