// Owns the notation of the tables of causes: minutes of ordinary traffic, logs of every kind, and the verdict of the engine over them.
import type { Cause, Diagnosis } from '../../../src/shared/cause.ts';
import { diagnosisOf } from '../../../src/analyze/analyzers/causes.ts';
import type { ArtifactReader } from '../../../src/analyze/contracts.ts';
import { DAY, WINDOW, at, given, httpLog, never, reader } from '../artifacts.ts';

export function clockOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}

/** One request each `everyS` seconds from one clock to the other: "02:10:00 GET / 200 34". */
export function traffic(from: string, to: string, what = 'GET / 200 34', everyS = 2): string {
  const rows: string[] = [];
  for (let ms = at(from); ms < at(to); ms += everyS * 1_000) rows.push(`${clockOf(ms)} ${what}`);
  return rows.join('\n');
}

/** Fifteen minutes in which all is well, on two routes. */
export const QUIET = `${traffic('02:10:00', '02:25:00')}\n${traffic('02:10:01', '02:25:00', 'GET /api/items 200 80', 5)}`;

/** Rows in the order of time, as a server writes them. */
export function log(...rows: readonly string[]): ArtifactReader {
  return httpLog(rows.join('\n').split('\n').sort().join('\n'));
}

export const appLog = (text: string, name = 'app.log'): ArtifactReader => reader('application-log', name, text);

/** A line with its time, as most loggers write it. */
export const line = (clock: string, text: string): string => `${new Date(DAY).toISOString().slice(0, 10)}T${clock}.250Z ${text}`;

/** nginx's combined log with the time that the request took at its end. */
export function nginxRow(clock: string, request: string, status: number, takenS: number): string {
  return `203.0.113.9 - - [21/Nov/2026:${clock} +0000] "${request} HTTP/1.1" ${status} 157 "-" "curl/8.5.0" ${takenS.toFixed(3)}`;
}
export function nginxError(clock: string, what: string, request = 'GET /', upstream = 'http://127.0.0.1:4123/'): string {
  return `2026/11/21 ${clock} [error] 31#31: *12 ${what}, client: 203.0.113.9, server: _, request: "${request} HTTP/1.1", upstream: "${upstream}", host: "shop"`;
}

export async function diagnosis(...readers: readonly ArtifactReader[]): Promise<Diagnosis> {
  return diagnosisOf(given(...readers), WINDOW, never);
}

export async function found(...readers: readonly ArtifactReader[]): Promise<Cause[]> {
  return (await diagnosis(...readers)).causes.filter((c) => c.verdict === 'found');
}
