// Owns the keyboard map: two-key words ("g o"), single keys, and when a key belongs to a field instead.
import { TITLES, type PageName } from './address.ts';
import { browserClock as clock } from './clock.ts';

export type Command = { readonly go: PageName } | 'search' | 'filter' | 'help' | 'diagnose' | 'pause' | 'next' | 'previous' | 'open';

const PAGES_BY_KEY: Readonly<Record<string, PageName>> = { n: 'now', o: 'observe', l: 'logs', a: 'analyze', m: 'mitigate', c: 'console' };
const SINGLE: Readonly<Record<string, Command>> = { '/': 'search', f: 'filter', '?': 'help', d: 'diagnose', ' ': 'pause', j: 'next', k: 'previous', Enter: 'open' };
/** The second key of a word must follow within this time. */
const WORD_MS = 1_500;

/** For the help: keys and what they do. */
export const KEYS: readonly (readonly [string, string])[] = [
  ...Object.entries(PAGES_BY_KEY).map(([key, page]) => [`g ${key}`, `Go to ${TITLES[page]}`] as const),
  ['d', 'Diagnose now'], ['/', 'Search pages, logs, sessions and processes'], ['f', 'Write a filter of requests'], ['space', 'Pause or resume what is live'],
  ['j  k', 'Next and previous row'], ['enter', 'Open the row'], ['esc', 'Close a dialog, leave a field'], ['?', 'This list'],
];

/** Turns keys into commands; `g` waits for its second key. */
export function keyReader(): (key: string, at: number) => Command | undefined {
  let pendingAt: number | undefined;
  return (key, at) => {
    const second = pendingAt !== undefined && at - pendingAt <= WORD_MS;
    pendingAt = undefined;
    if (second) {
      const page = PAGES_BY_KEY[key];
      if (page) return { go: page };
    }
    if (key === 'g') { pendingAt = at; return undefined; }
    return SINGLE[key];
  };
}

const listeners: ((command: Command) => boolean)[] = [];
/** Handles commands while mounted; the last one in is asked first and answers whether it took it. */
export function onCommand(run: (command: Command) => boolean): () => void {
  listeners.unshift(run);
  return () => { listeners.splice(listeners.indexOf(run), 1); };
}

/** A key typed into a field, or meant for a button or link that has the focus, is not a command. */
function isTaken(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  if (!target || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  if (target.closest('input, textarea, select, [contenteditable]')) return true;
  const isPress = event.key === ' ' || event.key === 'Enter';
  if (isPress && target.closest('button, a, summary, [role=option], [role=menuitemradio]')) return true;
  return document.querySelector('dialog[open]') !== null;
}

export function listenToKeys(): () => void {
  const read = keyReader();
  const down = (event: KeyboardEvent): void => {
    if (isTaken(event)) return;
    const command = read(event.key, clock.now());
    if (command !== undefined && listeners.some((run) => run(command))) event.preventDefault();
  };
  addEventListener('keydown', down);
  return () => removeEventListener('keydown', down);
}
