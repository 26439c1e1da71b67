// Owns what options mean: numbers with bounds, lists, severities in order.
import { InvalidArgumentError } from 'commander';
import type { Finding, Severity } from '../shared/model.ts';

/** Least severe last; `never` = always exit 0. */
export const FAIL_ON = ['critical', 'warning', 'info', 'never'] as const;
export type FailOn = (typeof FAIL_ON)[number];

export interface Remote { readonly url?: string; readonly token?: string; readonly home?: string; readonly json?: boolean }

export function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    return value;
  };
}

/** "a,b, c" */
export function list(text: string): string[] {
  const items = text.split(',').map((item) => item.trim()).filter((item) => item !== '');
  if (items.length === 0) throw new InvalidArgumentError('It must be one or more names with commas between them.');
  return items;
}

/** Text that says something: an empty one is mostly a variable that was not set. */
export function some(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** Failed requests at which a command ends with 1: a number, or a share of all in percent. */
export type FailureLimit = { readonly count: number } | { readonly percent: number };

/** "1", "100", "0.5%" */
export function failureLimit(text: string): FailureLimit {
  const [, number, sign] = /^(\d{1,9}(?:\.\d{1,6})?)(%?)$/.exec(text.trim()) ?? [];
  const value = Number(number);
  const usable = number !== undefined && value > 0 && (sign === '%' ? value <= 100 : Number.isInteger(value));
  if (!usable) throw new InvalidArgumentError('It must be a number of failed requests from 1, or a share of all such as 0.5%.');
  return sign === '%' ? { percent: value } : { count: value };
}

/** True when a finding is at least as severe as asked; what is good or cannot be told never fails. */
export function fails(findings: readonly Pick<Finding, 'severity'>[], failOn: FailOn): boolean {
  if (failOn === 'never') return false;
  const order: readonly Severity[] = ['critical', 'warning', 'info'];
  const limit = order.indexOf(failOn);
  return findings.some((f) => { const at = order.indexOf(f.severity); return at >= 0 && at <= limit; });
}
