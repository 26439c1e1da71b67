// Owns one terminal on the page: xterm.js with its size, colours, keys and clipboard, bound to the socket of its shell.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import type { ShellToPage } from '../../../../shared/shells.ts';
import { bytes as sayBytes } from '../../../../shared/units.ts';
import { ask, diag } from '../../../agent.ts';
import { browserClock as clock, oncePerFrame } from '../../../clock.ts';
import { copy } from '../../../parts/save.ts';
import { BASE } from '../../../router.tsx';
import { paint } from '../../../theme.ts';
import { terminalTheme } from './colours.ts';
import { createFlow } from './flow.ts';
import { openShellLink, type ShellLink, type ShellWire, type ShellWireEvents } from './link.ts';

/** Lines above the screen: with the agent's megabyte of bytes the rest of what was. */
const SCROLLBACK_LINES = 3_000;
const FONT_PX = 13;

export interface TerminalOptions {
  readonly shell: string;
  readonly screenReader: boolean;
  told(message: ShellToPage): void;
  /** The keyboard wants out. */
  leave(): void;
}

export interface PageTerminal {
  readonly link: ShellLink;
  focus(): void;
  setScreenReader(on: boolean): void;
  end(): void;
}

/** Draws into `box` until its end. */
export function openTerminal(box: HTMLElement, options: TerminalOptions): PageTerminal {
  const term = new Terminal({ theme: terminalTheme(), fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--mono'), fontSize: FONT_PX, scrollback: SCROLLBACK_LINES, minimumContrastRatio: 4.5, cursorBlink: false, screenReaderMode: options.screenReader, linkHandler: { activate: () => { /* what a program calls a link may lead anywhere: none is opened */ } } });
  const fit = new FitAddon();
  term.loadAddon(fit);
  term.open(box);
  term.textarea?.setAttribute('aria-label', 'Terminal: keys go to the shell; Ctrl+F6 leaves it');
  const sizes = watchSize(box, fit);
  const flow = createFlow((bytes) => link.say({ type: 'seen', bytes }), () => { box.dataset['replayed'] = 'true'; });
  const link = openShellLink({
    clock, connect: (events) => connect(options.shell, events),
    events: { output: (bytes) => { term.write(bytes, flow.came(bytes.length)); }, told },
    onLost: () => { ask(() => diag.agent()).catch(() => { /* the link's own state shows it, and the sign-in page */ }); },
  });
  function told(message: ShellToPage): void {
    if (message.type === 'hello') {
      term.reset();
      delete box.dataset['replayed'];
      if (message.lostBytes > 0) term.write(note(`${sayBytes(message.lostBytes)} of earlier output are not kept any more`));
      flow.begin(message.replayBytes);
      link.say({ type: 'size', cols: term.cols, rows: term.rows });
    } else if (message.type === 'lost') term.write(note(`${sayBytes(message.bytes)} of output were left out: this page was too slow for them`));
    else if (message.type === 'unread') term.write(note(`${sayBytes(message.bytes)} of what was typed were dropped: nothing reads them`));
    options.told(message);
  }
  // What the terminal answers to what was before was answered then.
  const send = (bytes: Uint8Array): void => { if (flow.isReplayed) link.keys(bytes); };
  const encoder = new TextEncoder();
  term.onData((text) => { send(encoder.encode(text)); });
  term.onBinary((text) => { send(Uint8Array.from(text, (sign) => sign.charCodeAt(0))); });
  term.onResize(({ cols, rows }) => { link.say({ type: 'size', cols, rows }); });
  term.attachCustomKeyEventHandler((event) => isForShell(event, term, options.leave));
  const painted = paint.on(() => { term.options.theme = terminalTheme(); });
  return {
    link,
    focus: () => { term.focus(); },
    setScreenReader: (on) => { term.options.screenReaderMode = on; },
    end() {
      painted();
      sizes.end();
      link.close();
      term.dispose();
    },
  };
}

const note = (text: string): string => `\x1b[0m\r\n\x1b[2m[${text}]\x1b[0m\r\n`;

function connect(shell: string, events: ShellWireEvents): ShellWire {
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${BASE}shell?id=${encodeURIComponent(shell)}`);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => events.opened();
  socket.onmessage = (event) => events.received(event.data);
  socket.onclose = () => events.closed();
  return { send: (data) => { if (socket.readyState === WebSocket.OPEN) socket.send(data as string); }, close: () => socket.close() };
}

/** The columns follow the box: at once when it opens, then once a frame. */
function watchSize(box: HTMLElement, fit: FitAddon): { end(): void } {
  const draw = oncePerFrame(() => { if (box.clientWidth > 0) fit.fit(); });
  const observer = new ResizeObserver(() => draw.ask());
  observer.observe(box);
  fit.fit();
  return { end() { observer.disconnect(); draw.end(); } };
}

/** All keys are the shell's, but for the way out and the clipboard: Ctrl+C copies where something is marked, Ctrl+V is left to the browser, which pastes. */
function isForShell(event: KeyboardEvent, term: Terminal, leave: () => void): boolean {
  if (event.type !== 'keydown' || !event.ctrlKey || event.altKey || event.metaKey) return true;
  if (event.key === 'F6') {
    event.preventDefault();
    leave();
    return false;
  }
  const letter = event.key.toLowerCase();
  if (letter === 'v' && !isMac()) return false;
  if (letter !== 'c' || (!event.shiftKey && !term.hasSelection())) return true;
  event.preventDefault();
  void copy(term.getSelection());
  if (!event.shiftKey) term.clearSelection();
  return false;
}

/** There Cmd is for the clipboard, and every Ctrl is the shell's. */
const isMac = (): boolean => /mac/i.test(navigator.userAgent);
