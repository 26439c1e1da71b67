// Owns the forms in which Kudu writes things: times, spans, addresses, and members that are absent when they say nothing.
import type { Request } from 'express';

/** "hh:mm:ss.fffffff", with days before it where there are some, as .NET writes a span of time. */
export function timeSpan(ms: number): string {
  const ticks = Math.max(0, Math.round(ms * 10_000));
  const part = (per: number, of: number, digits: number): string => String(Math.floor(ticks / per) % of).padStart(digits, '0');
  const days = Math.floor(ticks / 864_000_000_000);
  return `${days > 0 ? `${days}.` : ''}${part(36_000_000_000, 24, 2)}:${part(600_000_000, 60, 2)}:${part(10_000_000, 60, 2)}.${part(1, 10_000_000, 7)}`;
}

export const instant = (at: number): string => new Date(at).toISOString();

/** "yyyy-MM-ddTHH:mm:ss" in UTC, before each line of the service in a stream. */
export const second = (at: number): string => new Date(at).toISOString().slice(0, 19);

/** "MM-dd-HH-mm-ss" in UTC, in the names of files. */
export const stamp = (at: number): string => new Date(at).toISOString().slice(5, 19).replace(/[T:]/g, '-');

/** Without the members that are zero, false or nothing: Kudu leaves those out. */
export function bare<T extends object>(one: T): Partial<T> {
  return Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined && value !== null && value !== 0 && value !== false)) as Partial<T>;
}

/** "https://host/base" as the client called it, up to where Kudu's paths begin: with `/api` where it came by that. */
export function rootOf(req: Request): string {
  const path = req.originalUrl.split('?', 1)[0] as string;
  const below = path.slice(req.baseUrl.length);
  return `${originOf(req)}${req.baseUrl}${/^\/api(?:\/|$)/i.test(below) ? '/api' : ''}`;
}

export const originOf = (req: Request): string => `${req.protocol}://${req.headers.host ?? 'localhost'}`;

/** The program's name as Kudu shows it. */
export const bareName = (name: string): string => name.replace(/\.exe$/i, '');

/** A name for a Content-Disposition, whatever a process calls itself. */
export const fileWord = (name: string): string => bareName(name).replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 60) || 'process';

/** One word of the query; a name that comes twice counts once. */
export function word(req: Request, name: string): string | undefined {
  const value = req.query[name];
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' ? one : undefined;
}

export const isSet = (value: string | undefined): boolean => value !== undefined && /^(1|true|yes)$/i.test(value);
