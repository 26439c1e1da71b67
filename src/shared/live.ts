// Owns the messages of the live socket: what a page may say and what the agent sends, both parsed at both ends.
import { z } from 'zod';
import { AppInfo, At, Change, Health, LogFilter, LogLine, Now, RequestRow, Sample, Session, SessionId } from './model.ts';
import { Operation } from './api.ts';
import { AppsNow } from './app-view.ts';

/** The page's own name for one subscription; answers carry it. */
const Id = z.string().regex(/^[a-z0-9-]{1,40}$/);

export const LiveTopic = z.enum(['samples', 'requests', 'changes', 'now', 'operations', 'app']);
export type LiveTopic = z.infer<typeof LiveTopic>;

export const FromPage = z.discriminatedUnion('type', [
  /** since: only what is newer; a page that reconnects says the last `at` it has. pid: of `app`, the process to show in full; else all together. */
  z.object({ type: z.literal('follow'), id: Id, topic: LiveTopic, since: At.optional(), minutes: z.number().int().min(1).max(60).optional(), pid: z.number().int().positive().optional() }),
  /** cursor: resume after that entry, no line twice, none missing; without it the last `last` entries come first. */
  z.object({ type: z.literal('follow-log'), id: Id, source: z.string().regex(/^[a-z0-9]{1,40}$/), cursor: z.string().max(200).optional(), last: z.number().int().min(0).max(5_000).optional(), filter: LogFilter.optional() }),
  z.object({ type: z.literal('follow-session'), id: Id, session: SessionId }),
  z.object({ type: z.literal('leave'), id: Id }),
]);
export type FromPage = z.infer<typeof FromPage>;

/** Why a followed log jumped; shown as a row of its own. */
export const LogNotice = z.object({ kind: z.enum(['rotated', 'truncated', 'deleted', 'created', 'lost', 'failed']), text: z.string(), at: At.optional(), lostBytes: z.number().int().optional(), lostLines: z.number().int().optional() });
export type LogNotice = z.infer<typeof LogNotice>;
/** `more`: lines that go on the entry before, which was sent without waiting for them; its level is that of the whole entry. */
export const LogItem = z.union([z.object({ line: LogLine }), z.object({ more: LogLine }), z.object({ notice: LogNotice })]);
export type LogItem = z.infer<typeof LogItem>;

export const ToPage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), version: z.string(), instance: z.string(), at: At, app: AppInfo, health: Health }),
  z.object({ type: z.literal('samples'), id: Id, items: z.array(Sample), dropped: z.number().int() }),
  z.object({ type: z.literal('requests'), id: Id, items: z.array(RequestRow), dropped: z.number().int() }),
  z.object({ type: z.literal('changes'), id: Id, items: z.array(Change), dropped: z.number().int() }),
  z.object({ type: z.literal('now'), id: Id, now: Now }),
  z.object({ type: z.literal('app'), id: Id, now: AppsNow }),
  z.object({ type: z.literal('operations'), id: Id, items: z.array(Operation) }),
  z.object({ type: z.literal('session'), id: Id, session: Session }),
  /** cursor: where this batch ends, also past filtered lines; `passed` = entries the filter left out since the last batch; `dropped` =
   *  entries lost because the page was slow, of `droppedLines` lines. What is live comes in binary frames (shared/log-frame.ts);
   *  `channel` says which are this subscription's from here on, `passedBefore` what their count of left out entries begins with. */
  z.object({ type: z.literal('log'), id: Id, items: z.array(LogItem), dropped: z.number().int(), droppedLines: z.number().int().optional(), passed: z.number().int(), cursor: z.string(), channel: z.number().int().optional(), passedBefore: z.number().int().optional() }),
  z.object({ type: z.literal('refused'), id: z.string().optional(), code: z.string(), detail: z.string() }),
]);
export type ToPage = z.infer<typeof ToPage>;
