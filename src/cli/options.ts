// Owns what options mean: numbers with bounds, severities in order.
import { InvalidArgumentError } from 'commander';
import type { Finding, Severity } from '../shared/model.ts';

/** Least severe last; `never` = always exit 0. */
export const FAIL_ON = ['critical', 'warning', 'info', 'never'] as const;
export type FailOn = (typeof FAIL_ON)[number];

export interface Remote { readonly url?: string; readonly token?: string; readonly home?: string; readonly json?: boolean }

export function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) throw new InvalidArgumentError(`a whole number from ${least} to ${most} is wanted.`);
    return value;
  };
}

/** True when a finding is at least as severe as asked. */
export function fails(findings: readonly Finding[], failOn: FailOn): boolean {
  if (failOn === 'never') return false;
  const order: readonly Severity[] = ['critical', 'warning', 'info'];
  const limit = order.indexOf(failOn);
  return findings.some((f) => { const at = order.indexOf(f.severity); return at >= 0 && at <= limit; });
}
