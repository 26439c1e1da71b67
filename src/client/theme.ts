// Owns light and dark: what the reader chose, kept on this machine, and the colours that canvases read.
import { cell } from './cell.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
const KEY = 'diag-theme';

const kept = (): Theme => {
  const word = readKept(KEY);
  return THEMES.find((t) => t === word) ?? 'system';
};

export const theme = cell<Theme>(kept());
/** Counts up whenever colours change, by choice or by the system: canvases draw again. */
export const paint = cell(0);

/** Something small kept on this machine; absent where the browser keeps nothing. */
export function readKept(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

export function keep(key: string, word: string): void {
  try {
    localStorage.setItem(key, word);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

function apply(): void {
  const chosen = theme.get();
  if (chosen === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
  paint.set(paint.get() + 1);
}

export function startTheme(): void {
  apply();
  theme.on((chosen) => { keep(KEY, chosen); apply(); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => paint.set(paint.get() + 1));
}

/** The value of a colour token now ("bad", "s1"). */
export const colour = (token: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${token}`).trim();
