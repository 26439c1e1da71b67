// Owns the start of diag: reading HTTP logs is built as a program of its own, which starts in half the time that all commands take.
import { threadsAhead } from './threads-ahead.ts';

if (process.argv[2] === 'http-log') {
  void threadsAhead(process.argv.slice(3)).then(async (spare) => {
    const { main } = await import('./http-log-main.ts');
    await main(spare);
  });
} else void import('./diag-main.ts');
