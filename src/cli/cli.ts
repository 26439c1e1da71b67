// Owns the start of diag: reading HTTP logs is built as a program of its own, which starts in half the time that all commands take.

if (process.argv[2] === 'http-log') void import('./http-log-main.ts'); else void import('./diag-main.ts');

export {};
