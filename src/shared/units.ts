// Owns how numbers are written for people: bytes, milliseconds, counts, percents and instants, the same on page, report and CLI.
import type { Unit } from './metrics.ts';

const BYTE_STEPS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** "1.5 MiB". Three significant figures at most. */
export function bytes(sizeBytes: number): string {
  let value = sizeBytes;
  let step = 0;
  while (Math.abs(value) >= 1024 && step < BYTE_STEPS.length - 1) { value /= 1024; step += 1; }
  return `${figures(value)} ${BYTE_STEPS[step]}`;
}

/** "850 ms", "2.4 s", "3 min 20 s", "6 d 4 h". */
export function duration(forMs: number): string {
  if (forMs < 1_000) return `${figures(forMs)} ms`;
  const seconds = forMs / 1_000;
  if (seconds < 60) return `${figures(seconds)} s`;
  const pairs: readonly [number, string][] = [[86_400, 'd'], [3_600, 'h'], [60, 'min'], [1, 's']];
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [size, word] of pairs) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0 && parts.length < 2) parts.push(`${n} ${word}`);
    else if (parts.length > 0) break;
  }
  return parts.join(' ');
}

/** "1,203". */
export function count(n: number): string {
  return Number.isInteger(n) ? group(String(n)) : group(figures(n));
}

/** "18.4 %". */
export function percent(share: number): string {
  return `${figures(share)} %`;
}

/** A value with its unit, as a metric's row says. */
export function quantity(value: number, unit: Unit): string {
  if (unit === 'bytes') return bytes(value);
  if (unit === 'ms') return duration(value);
  if (unit === 'percent') return percent(value);
  if (unit === 'per-second') return `${figures(value)} /s`;
  return count(value);
}

/** "one request" / "3 requests": the noun agrees with its number. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** "2026-11-21 02:14:07 UTC". */
export function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** "02:14:07" in UTC. */
export function utcTime(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

function figures(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || size >= 100) return String(Math.round(value));
  return String(Number(value.toFixed(size >= 10 ? 1 : 2)));
}

function group(digits: string): string {
  const [whole = '', rest] = digits.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return rest === undefined ? grouped : `${grouped}.${rest}`;
}
