// Owns the exit code: set once, the worst wins, and the process ends by itself when its work is done.
export type Exit = 0 | 1 | 2 | 3;

export function exitCode(code: Exit): void {
  process.exitCode = Math.max(Number(process.exitCode ?? 0), code);
}
