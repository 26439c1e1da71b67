// Owns the colours of the terminal: sixteen of its own for light and dark, the rest from the page's tokens.
import type { ITheme } from '@xterm/xterm';
import { colour } from '../../../theme.ts';

const LIGHT: ITheme = {
  black: '#24292f', red: '#b3261e', green: '#17713f', yellow: '#7d5200', blue: '#1f5fd1', magenta: '#8a2da0', cyan: '#0b6e7c', white: '#5c6370',
  brightBlack: '#4a5362', brightRed: '#c0272d', brightGreen: '#1a7f46', brightYellow: '#8f5f00', brightBlue: '#2f6fde', brightMagenta: '#a23bb3', brightCyan: '#12757f', brightWhite: '#14181f',
};
const DARK: ITheme = {
  black: '#3a4452', red: '#ff7b7b', green: '#4cc38a', yellow: '#f0b35a', blue: '#6ea4ff', magenta: '#d083e0', cyan: '#3fc2d0', white: '#c8d0dc',
  brightBlack: '#8a95a6', brightRed: '#ff9a9a', brightGreen: '#74d9a8', brightYellow: '#f6c983', brightBlue: '#94bcff', brightMagenta: '#e0a6ec', brightCyan: '#73d8e3', brightWhite: '#ffffff',
};

export function terminalTheme(): ITheme {
  const isDark = getComputedStyle(document.documentElement).colorScheme.includes('dark');
  return { ...isDark ? DARK : LIGHT, background: colour('surface'), foreground: colour('ink'), cursor: colour('accent'), cursorAccent: colour('surface'), selectionBackground: colour('select'), scrollbarSliderBackground: `${colour('line-strong')}aa`, scrollbarSliderHoverBackground: colour('line-strong'), scrollbarSliderActiveBackground: colour('ink-3') };
}
