// Owns the one live socket: its subscriptions, how they resume after a lost connection, and what state it is in.
import { FromPage, ToPage } from '../../shared/live.ts';
import { LogChannels } from '../../shared/log-channels.ts';
import { jsonAs } from '../../shared/json-as.ts';
import { cell, type Cell } from '../cell.ts';
import type { Clock } from '../clock.ts';
import { Reconnect } from './reconnect.ts';

type Ask = { [K in FromPage['type']]: Omit<Extract<FromPage, { type: K }>, 'id'> }[Exclude<FromPage['type'], 'leave'>];
export type Message = ToPage;
export type Hello = Extract<ToPage, { type: 'hello' }>;

/** `lost`: reconnecting, since when. `outdated`: the agent is another version than the one that served this page. */
export interface LinkState { readonly word: 'connecting' | 'open' | 'lost'; readonly since: number; readonly lastAt?: number; readonly outdated?: string }

/** One connection; the given callbacks tell what happens on it, `closed` exactly once, also when it never opened. */
export interface Wire { send(text: string): void; close(): void }
export interface WireEvents { opened(): void; received(data: unknown): void; closed(): void }

export interface Link {
  readonly state: Cell<LinkState>;
  readonly hello: Cell<Hello | undefined>;
  /** `ask` is called for every connection, so that it can name the cursor or instant it already has; `take` gets the
   *  messages of this subscription only, never one of an earlier connection. The answer leaves. */
  follow(ask: () => Ask, take: (message: Message) => void): () => void;
  /** Tries at once instead of waiting. */
  retry(): void;
  close(): void;
}

/** First pause before a new try; doubled up to the longest. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const HEARD_EVERY_MS = 250;

interface Follower { readonly ask: () => Ask; readonly take: (message: Message) => void; id: string; source: string }

export function openLink(options: { url: string; connect: (url: string, events: WireEvents) => Wire; clock: Clock; onLost?: () => void }): Link {
  const { clock } = options;
  const state = cell<LinkState>({ word: 'connecting', since: clock.now() });
  const hello = cell<Hello | undefined>(undefined);
  const followers = new Map<string, Follower>();
  const channels = new LogChannels();
  let made = 0;
  let firstVersion: string | undefined;

  const send = (message: FromPage): void => { if (state.get().word === 'open') tries.wire?.send(JSON.stringify(message)); };
  const enter = (follower: Follower): void => {
    followers.delete(follower.id);
    made += 1;
    follower.id = `f-${made}`;
    followers.set(follower.id, follower);
    const asked = follower.ask();
    follower.source = asked.type === 'follow-log' ? asked.source : '';
    send({ ...asked, id: follower.id } as FromPage);
  };

  const greet = (message: Hello): void => {
    firstVersion ??= message.version;
    hello.set(message);
    if (message.version !== firstVersion) state.set({ ...state.get(), outdated: message.version });
  };

  const take = (data: unknown): void => {
    const now = clock.now();
    const message = data instanceof ArrayBuffer ? channels.read(new Uint8Array(data), now) : jsonAs(ToPage, data);   // what is not one of ours is left out: the agent may be newer than this page
    if (message === undefined) return;
    // At most so often: a log may bring a thousand frames a second, and who shows the state needs a few.
    if (now - (state.get().lastAt ?? 0) >= HEARD_EVERY_MS) state.set({ ...state.get(), lastAt: now });
    if (message.type === 'hello') { greet(message); return; }
    const follower = message.id === undefined ? undefined : followers.get(message.id);
    if (message.type === 'log' && follower !== undefined) channels.heard(message, follower.source);
    follower?.take(message);
  };

  const lose = (): void => {
    channels.clear();
    const before = state.get();
    if (before.word !== 'lost') state.set({ ...before, word: 'lost', since: clock.now() });
    tries.lost();
    options.onLost?.();
  };

  const tries = new Reconnect<Wire>({
    clock, firstMs: FIRST_PAUSE_MS, longestMs: LONGEST_PAUSE_MS,
    connect: (isMine) => options.connect(options.url, {
      opened() {
        if (!isMine()) return;
        tries.fresh();
        state.set({ ...state.get(), word: 'open', since: clock.now() });
        for (const follower of Array.from(followers.values())) enter(follower);
      },
      received(data) { if (isMine()) take(data); },
      closed() { if (isMine()) lose(); },
    }),
  });

  tries.open();
  return {
    state, hello,
    follow(ask, take) {
      const follower: Follower = { ask, take, id: '', source: '' };
      enter(follower);
      return () => { followers.delete(follower.id); channels.leave(follower.id); send({ type: 'leave', id: follower.id }); };
    },
    retry() { if (state.get().word === 'lost') { tries.fresh(); tries.open(); } },
    close() { tries.end(); },
  };
}
