// Owns the socket of one terminal: its messages, a new connection when it is lost, and the end when another page takes over.
import { ShellToPage, type ShellFromPage } from '../../../../shared/shells.ts';
import { jsonAs } from '../../../../shared/json-as.ts';
import { cell, type Cell } from '../../../cell.ts';
import type { Clock } from '../../../clock.ts';
import { Reconnect } from '../../../live/reconnect.ts';

/** `taken` and `refused` are ends: only retry() opens again. */
export type ShellLinkState = { readonly word: 'connecting' | 'open' } | { readonly word: 'lost'; readonly since: number } | { readonly word: 'taken'; readonly who: string } | { readonly word: 'refused'; readonly code: string; readonly detail: string };

export interface ShellEvents { output(bytes: Uint8Array): void; told(message: ShellToPage): void }

export interface ShellLink {
  readonly state: Cell<ShellLinkState>;
  keys(bytes: Uint8Array): void;
  say(message: ShellFromPage): void;
  /** Opens at once: instead of waiting, or again after an end. */
  retry(): void;
  close(): void;
}

/** What the link needs of a WebSocket. */
export interface ShellWire { send(data: string | Uint8Array): void; close(): void }
export interface ShellWireEvents { opened(): void; received(data: unknown): void; closed(): void }

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 10_000;
/** A message of the agent's socket is at most 64 KB. */
const PIECE_BYTES = 16 * 1024;

export function openShellLink(options: { connect(events: ShellWireEvents): ShellWire; clock: Clock; events: ShellEvents; onLost?: () => void }): ShellLink {
  const { clock, events } = options;
  const state = cell<ShellLinkState>({ word: 'connecting' });
  const isOver = (): boolean => state.get().word === 'taken' || state.get().word === 'refused';

  const take = (data: unknown): void => {
    if (data instanceof ArrayBuffer) { events.output(new Uint8Array(data)); return; }
    const message = jsonAs(ShellToPage, data);                 // what is not one of ours is left out: the agent may be newer than this page
    if (message === undefined) return;
    if (message.type === 'taken') state.set({ word: 'taken', who: message.who });
    else if (message.type === 'refused') state.set({ word: 'refused', code: message.code, detail: message.detail });
    else if (message.type === 'hello') { tries.fresh(); state.set({ word: 'open' }); }
    events.told(message);
  };

  const lose = (): void => {
    if (isOver()) { tries.gone(); return; }
    const before = state.get();
    state.set(before.word === 'lost' ? { ...before } : { word: 'lost', since: clock.now() });
    tries.lost();
    options.onLost?.();
  };

  const tries = new Reconnect<ShellWire>({
    clock, firstMs: FIRST_PAUSE_MS, longestMs: LONGEST_PAUSE_MS,
    connect: (isMine) => options.connect({
      opened: () => undefined,                                 // the agent's hello says that it is open
      received: (data) => { if (isMine()) take(data); },
      closed: () => { if (isMine()) lose(); },
    }),
  });

  tries.open();
  return {
    state,
    keys(bytes) {
      if (state.get().word !== 'open') return;
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) tries.wire?.send(bytes.subarray(at, at + PIECE_BYTES));
    },
    say(message) { if (state.get().word === 'open') tries.wire?.send(JSON.stringify(message)); },
    retry() {
      if (state.get().word === 'open') return;
      tries.fresh();
      if (isOver()) state.set({ word: 'connecting' });
      const before = tries.wire;
      tries.open();
      before?.close();
    },
    close() { tries.end(); },
  };
}
