// Owns what the options of `diag dump` mean: sizes, limits, metrics, times, signals.
import { constants } from 'node:os';
import { InvalidArgumentError } from 'commander';
import type { Condition } from '../agent/dump.ts';
import { metric, type MetricId } from '../shared/metrics.ts';

const MB = 1024 * 1024;

/** Whole or with a fraction, above zero. */
export function amount(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,9}(\.\d{1,3})?$/.test(text) || value <= 0 || value > most) throw new InvalidArgumentError(`It must be a number above 0, at most ${most}.`);
    return value;
  };
}

/** Megabytes, as ProcDump counts them, or with a unit: 800, 800m, 1.5g. */
export function megabytes(text: string): number {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)\s*(m|g)?i?b?$/i.exec(text.trim()) ?? [];
  if (number === undefined || Number(number) <= 0) throw new InvalidArgumentError('It must be megabytes, or with a unit such as 800m or 1.5g.');
  return Number(number) * MB * (unit?.toLowerCase() === 'g' ? 1024 : 1);
}

const SHORT: Readonly<Record<string, MetricId>> = { p50: 'http.response-p50', p95: 'http.response-p95', p99: 'http.response-p99', '5xx': 'http.5xx', '4xx': 'http.4xx', requests: 'http.requests' };

/** "p95>2000ms", "5xx>5%", "http.requests<1" */
export function metricLimit(text: string): Extract<Condition, { type: 'metric' }> {
  const [, name = '', sign, number, unit] = /^([\w.-]{2,60})\s*(>=?|<)\s*(\d{1,12}(?:\.\d{1,6})?)\s*(ms|s|%)?$/.exec(text.trim()) ?? [];
  const id = SHORT[name] ?? name;
  const value = Number(number);
  if (sign === undefined || !isMetric(id)) throw new InvalidArgumentError('It must be a metric and its limit, such as p95>2000ms, 5xx>5%, or http.requests<1.');
  const share = unit === '%' && metric(id).unit !== 'percent';
  if (share && !/^http\.\dxx$/.test(id)) throw new InvalidArgumentError(`A share is known of 2xx, 3xx, 4xx and 5xx only, not of ${id}.`);
  return { type: 'metric', metric: id, limit: unit === 's' ? value * 1_000 : value, below: sign === '<', ...(share ? { of: 'http.requests' } : {}) };
}

function isMetric(id: string): id is MetricId {
  try {
    return metric(id as MetricId).scope === 'site';
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

/** "SIGTERM", "term", "15"; several with commas. */
export function signalNames(text: string): NodeJS.Signals[] {
  return text.split(',').map((word) => {
    const wanted = word.trim().toUpperCase();
    const found = Object.entries(constants.signals).find(([name, number]) => name === wanted || name === `SIG${wanted}` || String(number) === wanted);
    if (found === undefined || found[0] === 'SIGKILL' || found[0] === 'SIGSTOP') throw new InvalidArgumentError('It must be names or numbers of signals, with commas; KILL and STOP cannot be seen.');
    return found[0] as NodeJS.Signals;
  });
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const DAY_MS = 86_400_000;

/** When no dump begins any more: "14:30" of today or tomorrow in UTC, an instant with its day, or "10m" from now; a bare number is seconds, as ProcDump has it. */
export function until(now: () => number): (text: string) => number {
  return (text) => {
    const given = text.trim();
    const [, number, unit = 's'] = /^(\d{1,7})(s|m|h)?$/.exec(given) ?? [];
    if (number !== undefined) return now() + Number(number) * (UNITS[unit] ?? 1_000);
    const [, hours, minutes, seconds = '0'] = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(given) ?? [];
    if (hours !== undefined) {
      const at = Math.floor(now() / DAY_MS) * DAY_MS + ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
      return at > now() ? at : at + DAY_MS;
    }
    const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(given) ? Date.parse(given) : NaN;
    if (Number.isFinite(at) && at > now()) return at;
    throw new InvalidArgumentError('It must be a time to come: 14:30 (UTC), 2026-11-21T14:30Z, 10m, or seconds.');
  };
}

/** An address to probe. */
export function address(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw new InvalidArgumentError('It must be an address that begins with http:// or https://.');
  return url;
}
