// Owns the colours of a flame graph: one tint for whom a call belongs to, and for what grew or shrank; read from the page's own palette.
import type { ProfileCategory } from '../../../../shared/profile.ts';

export interface FlameColours { readonly ink: string; readonly faint: string; readonly surface: string; readonly focus: string; readonly dim: string; category(category: ProfileCategory): string; difference(by: number): string }

const SERIES: Readonly<Partial<Record<ProfileCategory, string>>> = { app: '--s1', dependency: '--s4', node: '--s3', native: '--s6', engine: '--s5', gc: '--s2' };
/** So strong a tint keeps the ink on it at contrast 4.5 in both themes. */
const TINT = 0.34;
const STEPS = 12;

/** Of the element, as its theme is now. */
export function flameColours(element: Element): FlameColours {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  const surface = of('--surface');
  const tints = new Map<ProfileCategory, string>();
  const steps = new Map<number, string>();
  return {
    ink: of('--ink'), faint: of('--ink-3'), surface, focus: of('--focus'), dim: mixed(of('--s5'), surface, 0.12),
    category(category) {
      let tint = tints.get(category);
      if (tint === undefined) { const series = SERIES[category]; tint = series === undefined ? mixed(of('--s5'), surface, 0.2) : mixed(of(series), surface, TINT); tints.set(category, tint); }
      return tint;
    },
    difference(by) {
      const step = Math.round(Math.sign(by) * Math.min(1, Math.sqrt(Math.abs(by) * 2)) * STEPS);
      let tint = steps.get(step);
      if (tint === undefined) { tint = step === 0 ? mixed(of('--s5'), surface, 0.15) : mixed(of(step > 0 ? '--bad' : '--s1'), surface, 0.08 + (Math.abs(step) / STEPS) * TINT); steps.set(step, tint); }
      return tint;
    },
  };
}

/** Two colours of six hex digits; `share` of the first. */
function mixed(first: string, second: string, share: number): string {
  const parts = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) || 0);
  const other = parts(second);
  return `#${parts(first).map((part, i) => Math.round(part * share + (other[i] as number) * (1 - share)).toString(16).padStart(2, '0')).join('')}`;
}
