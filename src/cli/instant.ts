// Owns what an instant on the command line means: ISO, epoch milliseconds, or so long ago.
import { InvalidArgumentError } from 'commander';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
const AGO = /^(\d{1,9}(?:\.\d{1,3})?)\s*(s|m|h|d|w)(?:ec|in|ours?|ays?|eeks?|econds?|inutes?)?(?:\s+ago)?$/i;
const ISO = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i;
const MAX_MS = 8.64e15;

/** Without a zone it is UTC, as logs are. @throws InvalidArgumentError */
export function instant(now: () => number): (text: string) => number {
  return (text) => {
    const given = text.trim();
    if (/^now$/i.test(given)) return now();
    const [, amount, unit] = AGO.exec(given) ?? [];
    if (amount !== undefined && unit !== undefined) return Math.round(now() - Number(amount) * (UNIT_MS[unit.toLowerCase()] as number));
    if (/^\d{11,16}$/.test(given) && Number(given) <= MAX_MS) return Number(given);
    const at = ISO.test(given) ? Date.parse(zoned(given)) : NaN;
    if (Number.isFinite(at) && at >= 0) return at;
    throw new InvalidArgumentError('It must be an instant such as 2026-11-21T09:00Z, epoch milliseconds, or 1h ago; without a zone it is UTC.');
  };
}

function zoned(text: string): string {
  const [day, time] = [text.slice(0, 10), text.slice(11).toUpperCase()];
  if (time === '') return `${day}T00:00:00Z`;
  return `${day}T${time}${/(?:Z|[+-]\d\d:?\d\d)$/.test(time) ? '' : 'Z'}`;
}
