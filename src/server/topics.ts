// Owns the subscriptions of the live socket: each topic pulled from its feed and sent in batches.
import type { FromPage } from '../shared/live.ts';
import type { Sample, Session } from '../shared/model.ts';
import type { Feed } from '../observe/observe.ts';
import { appsNow } from '../observe/samplers/app-views.ts';
import type { Agent } from '../agent/agent.ts';
import { maskedChange, maskedRow } from '../agent/masking.ts';
import type { Send } from './live.ts';
import type { LogSinks } from './log-sink.ts';

/** Items in one message: some 300 KB of samples, so that a long backlog lets other subscriptions in between. */
const MESSAGE_ITEMS = 1_000;
/** Rows of the HTTP log come up to this late (observe/samplers/requests.ts); the seconds they change are sent again to a page that returns. */
const LATE_MS = 90_000;
/** Apps tell once a second what they did in it. */
const APP_EVERY_MS = 1_000;
/** The landing page is worked out again this often while somebody looks at it. */
const NOW_EVERY_MS = 2_000;

type Follow = Extract<FromPage, { type: 'follow' }>;

/** Runs until the signal aborts. */
export async function subscribe(message: Exclude<FromPage, { type: 'leave' }>, agent: Agent, send: Send, sinks: LogSinks, signal: AbortSignal): Promise<void> {
  if (message.type === 'follow') await topics[message.topic](message, agent, send, signal);
  else if (message.type === 'follow-log') await followLog(message, agent, sinks, signal);
  else await followSession(message, agent, send, signal);
}

const topics: { readonly [T in Follow['topic']]: (message: Follow, agent: Agent, send: Send, signal: AbortSignal) => Promise<void> } = {
  samples: (m, agent, send, signal) => pump(agent.observed.samples, m, signal, (items, dropped) => send({ type: 'samples', id: m.id, items, dropped }), (s, since) => s.at > since || (isLate(s) && s.at > since - LATE_MS)),
  requests: async (m, agent, send, signal) => {
    await agent.observed.requests.make();
    await pump(agent.observed.requests, m, signal, (items, dropped) => send({ type: 'requests', id: m.id, items: items.map((row) => maskedRow(row, agent.mask)), dropped }));
  },
  changes: (m, agent, send, signal) => pump(agent.observed.changes, m, signal, (items, dropped) => send({ type: 'changes', id: m.id, items: items.map((c) => maskedChange(c, agent.mask)), dropped })),
  operations: async (m, agent, send, signal) => {
    // The feed is joined first, so that no change falls between the list that is sent and those that follow.
    const changes = agent.operationFeed.follow({ signal, backlog: false, limit: 1 });
    await send({ type: 'operations', id: m.id, items: [...agent.operations.list()] });
    for await (const _ of changes) {
      void _;
      await send({ type: 'operations', id: m.id, items: [...agent.operations.list()] });
    }
  },
  app: async (m, agent, send, signal) => {
    const show = async (): Promise<void> => { await send({ type: 'app', id: m.id, now: appsNow(agent.observed.inside.apps(), agent.platform.clock.now(), m.pid, agent.mask) }); };
    await show();
    for await (const _ of agent.platform.clock.every(APP_EVERY_MS, signal)) {
      void _;
      await show();
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

/** The sampler of the HTTP log publishes its seconds on their own; a later one of the same second replaces the earlier. */
function isLate(sample: Sample): boolean {
  return sample.process === undefined && sample.values['http.requests'] !== undefined;
}

/** The backlog newer than `since`, then all that is live: an amended item keeps its old `at`. A follower that is busy sending
 *  keeps as much as the feed itself; what it loses beyond that is counted. */
async function pump<T extends { at: number }>(feed: Feed<T>, { since }: Follow, signal: AbortSignal, send: (items: T[], dropped: number) => Promise<void>, isNew: (item: T, since: number) => boolean = (item, at) => item.at > at): Promise<void> {
  let backlog = feed.recent().length > 0;
  for await (const batch of feed.follow({ signal })) {
    const wanted = backlog && since !== undefined ? batch.items.filter((item) => isNew(item, since)) : batch.items;
    let { dropped } = batch;
    backlog = false;
    for (let from = 0; from < wanted.length || dropped > 0; from += MESSAGE_ITEMS) {
      await send(wanted.slice(from, from + MESSAGE_ITEMS), dropped);
      dropped = 0;
    }
  }
}

async function followLog(message: Extract<FromPage, { type: 'follow-log' }>, agent: Agent, sinks: LogSinks, signal: AbortSignal): Promise<void> {
  const { id, source, cursor, last, filter } = message;
  const options = { signal, sink: sinks.open(id, signal), ...(cursor === undefined ? {} : { cursor }), ...(last === undefined ? {} : { last }), ...(filter === undefined ? {} : { filter }) };
  await agent.observed.logs.follow(source, options);
}

/** Ends when the session has. */
async function followSession(message: Extract<FromPage, { type: 'follow-session' }>, agent: Agent, send: Send, signal: AbortSignal): Promise<void> {
  const left = new AbortController();
  const show = (session: Session): Promise<void> => send({ type: 'session', id: message.id, session });
  try {
    // Joined first, as above.
    const changes = agent.sessionFeed.follow({ signal: AbortSignal.any([signal, left.signal]), backlog: false });
    const session = await agent.store.sessions.get(message.session);
    await show(session);
    if (session.state !== 'running') return;
    for await (const { items } of changes) {
      const newest = items.filter((s) => s.id === message.session).at(-1);
      if (newest) await show(newest);
      if (newest && newest.state !== 'running') return;
    }
  } finally {
    left.abort();
  }
}
