// Owns the page's live link: one socket for the whole page, opened on first use, and the hooks that follow it.
import { useEffect } from 'preact/hooks';
import { agentNow, ask, diag, health, setAgentClock, signedIn } from '../agent.ts';
import { browserClock as clock } from '../clock.ts';
import { BASE } from '../router.tsx';
import { openLink, type Link, type Message, type Wire, type WireEvents } from './link.ts';

let made: Link | undefined;

/** The page's one link. */
export function link(): Link {
  if (made) return made;
  const url = `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${BASE}live`;
  made = openLink({
    url, clock, connect: connectSocket,
    // The browser hides why a socket was refused; the API says when it was the token.
    onLost: () => { ask(() => diag.agent()).catch(() => { /* shown by the link's own state and by the sign-in page */ }); },
  });
  made.hello.on((hello) => {
    if (!hello) return;
    setAgentClock(hello.at);
    health.set(hello.health);
  });
  return made;
}

/** Opens when the API has let us in: a socket before that would only be refused. */
function connectSocket(url: string, events: WireEvents): Wire {
  let socket: WebSocket | undefined;
  const open = (): void => {
    socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => events.opened();
    socket.onmessage = (event) => events.received(event.data);
    socket.onclose = () => events.closed();
  };
  let stop = (): void => undefined;
  if (signedIn.get() === true) open();
  else stop = signedIn.on((isIn) => { if (isIn === true) { stop(); open(); } });
  return { send: (text) => socket?.send(text), close: () => { stop(); socket?.close(); } };
}

type AskOf = Parameters<Link['follow']>[0];

/** Follows while the component is there; `undefined` follows nothing. `take` may change between renders only with `deps`. */
export function useFollow(asked: AskOf | undefined, take: (message: Message) => void, deps: readonly unknown[]): void {
  useEffect(() => (asked === undefined ? undefined : link().follow(asked, take)), deps);
}

/** No message for this long on a link that should bring one each second or two is worth saying. */
export const SILENT_MS = 10_000;
export { agentNow };
