// Owns the subscriptions of the live socket: each topic pulled from its feed and sent in batches.
import type { FromPage, ToPage } from '../shared/live.ts';
import type { Batch, Feed } from '../observe/observe.ts';
import type { Agent } from '../agent/agent.ts';
import type { Send } from './live.ts';
import { masked } from './routes/logs.ts';

/** Items kept for a follower that is busy sending. */
const FOLLOWER_LIMIT = 5_000;
/** The landing page is worked out again this often while somebody looks at it. */
const NOW_EVERY_MS = 2_000;

type Follow = Extract<FromPage, { type: 'follow' }>;

/** Runs until the signal aborts. */
export async function subscribe(message: Exclude<FromPage, { type: 'leave' }>, agent: Agent, send: Send, signal: AbortSignal): Promise<void> {
  if (message.type === 'follow') await topics[message.topic](message, agent, send, signal);
  else if (message.type === 'follow-log') await followLog(message, agent, send, signal);
  else await followSession(message, agent, send, signal);
}

const topics: { readonly [T in Follow['topic']]: (message: Follow, agent: Agent, send: Send, signal: AbortSignal) => Promise<void> } = {
  samples: (m, agent, send, signal) => pump(agent.observed.samples, m, signal, (items, dropped) => send({ type: 'samples', id: m.id, items: [...items], dropped })),
  requests: (m, agent, send, signal) => pump(agent.observed.requests, m, signal, (items, dropped) => send({ type: 'requests', id: m.id, items: [...items], dropped })),
  changes: (m, agent, send, signal) => pump(agent.observed.changes, m, signal, (items, dropped) => send({ type: 'changes', id: m.id, items: [...items], dropped })),
  operations: async (m, agent, send, signal) => {
    await send({ type: 'operations', id: m.id, items: [...agent.operations.list()] });
    for await (const _ of agent.operationFeed.follow({ signal, backlog: false, limit: 1 })) {
      void _;
      await send({ type: 'operations', id: m.id, items: [...agent.operations.list()] });
    }
  },
  now: async (m, agent, send, signal) => {
    const show = async (): Promise<void> => { await send({ type: 'now', id: m.id, now: await agent.now(m.minutes ?? 5) }); };
    await show();
    for await (const _ of agent.platform.clock.every(NOW_EVERY_MS, signal)) {
      void _;
      await show();
    }
  },
};

/** The backlog newer than `since` in one message, then all that is live: an amended item keeps its old `at`. */
async function pump<T extends { at: number }>(feed: Feed<T>, message: Follow, signal: AbortSignal, send: (items: readonly T[], dropped: number) => Promise<void>): Promise<void> {
  let since = message.since ?? 0;
  for await (const { items, dropped } of feed.follow({ signal, limit: FOLLOWER_LIMIT }) as AsyncIterable<Batch<T>>) {
    const wanted = since === 0 ? items : items.filter((i) => i.at > since);
    since = 0;
    if (wanted.length > 0 || dropped > 0) await send(wanted, dropped);
  }
}

async function followLog(message: Extract<FromPage, { type: 'follow-log' }>, agent: Agent, send: Send, signal: AbortSignal): Promise<void> {
  const { id, source, cursor, last, filter } = message;
  const options = { signal, ...(cursor === undefined ? {} : { cursor }), ...(last === undefined ? {} : { last }), ...(filter === undefined ? {} : { filter }) };
  for await (const batch of agent.observed.logs.follow(source, options)) {
    const items = batch.items.map((item) => ('line' in item ? { line: masked(item.line, agent.mask) } : item));
    await send({ type: 'log', id, items, dropped: batch.dropped, passed: batch.passed, cursor: batch.cursor } satisfies ToPage);
  }
}

async function followSession(message: Extract<FromPage, { type: 'follow-session' }>, agent: Agent, send: Send, signal: AbortSignal): Promise<void> {
  const show = async (): Promise<boolean> => {
    const session = await agent.store.sessions.get(message.session);
    await send({ type: 'session', id: message.id, session });
    return session.state === 'running';
  };
  // The feed is joined first, so that no change falls between the record that is read and those that follow.
  const changes = agent.sessionFeed.follow({ signal, backlog: false });
  const iterator = changes[Symbol.asyncIterator]();
  let next = iterator.next();
  if (!(await show())) return;
  for (;;) {
    const { done, value } = await next;
    if (done) return;
    next = iterator.next();
    const newest = value.items.filter((s) => s.id === message.session).at(-1);
    if (newest) await send({ type: 'session', id: message.id, session: newest });
    if (newest && newest.state !== 'running') { await show(); return; }
  }
}
