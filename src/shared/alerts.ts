// Owns the words of alerts: where they go, what is told, and what is shown of both.
import { z } from 'zod';
import { FiringId, RuleId } from './rules.ts';

export const ChannelId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/, 'small letters, digits and dashes, at most 60');
const Address = z.string().min(1).max(2_000).regex(/^https?:\/\//, 'an address that begins with https:// or http://');
const shared = { id: ChannelId, enabled: z.boolean().default(true), recovery: z.boolean().default(true).describe('tell also when the condition is over') };
const channel = { ...shared, url: Address };
/** One plain address: no name before it, no list, nothing that could become a second header. */
const Mail = z.string().max(254).regex(/^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}$/, 'an address such as ops@shop.example');
const HostName = z.string().max(253).regex(/^(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}$|^\[?[0-9A-Fa-f:.]+\]?$/, 'a host name such as smtp.shop.example');

/** Their addresses are secrets themselves: who knows one can write there. */
export const Channel = z.discriminatedUnion('type', [
  /** JSON, signed with HMAC-SHA256 where there is a secret. */
  z.strictObject({ type: z.literal('webhook'), ...channel, secret: z.string().min(8).max(500).optional() }),
  z.strictObject({ type: z.literal('slack'), ...channel }),
  z.strictObject({ type: z.literal('teams'), ...channel }),
  /** The address of the Alertmanager, without /api/v2/alerts. */
  z.strictObject({ type: z.literal('alertmanager'), ...channel }),
  /** tls: from the first byte (465); starttls: before anything is said (587); none: only without a password, for a relay inside. */
  z.strictObject({ type: z.literal('email'), ...shared, host: HostName, port: z.int().min(1).max(65_535).default(587), security: z.enum(['starttls', 'tls', 'none']).default('starttls'), user: z.string().min(1).max(254).optional(), password: z.string().min(1).max(1_000).optional(), from: Mail, to: z.array(Mail).min(1).max(20) })
    .refine(({ user, password }) => (user === undefined) === (password === undefined), { error: 'user and password belong together', path: ['user'] })
    .refine(({ security, password }) => security !== 'none' || password === undefined, { error: 'a password is not sent without TLS', path: ['security'] }),
]);
export type Channel = z.infer<typeof Channel>;

export const MAX_CHANNELS = 20;
export const AlertSettings = z.strictObject({ channels: z.array(Channel).max(MAX_CHANNELS).default([]), pageUrl: Address.optional().describe('the page of this agent, for links') });
export type AlertSettings = z.infer<typeof AlertSettings>;

const Text = z.string().max(2_000);
export const Alert = z.object({
  /** The same for every try, so that a receiver can tell what it has seen. */
  id: z.string().max(200),
  status: z.enum(['firing', 'resolved', 'test']),
  rule: RuleId, title: Text, text: Text,
  at: z.number(), since: z.number().optional(),
  site: z.string().max(200), instance: z.string().max(64),
  firing: FiringId.optional(),
  did: z.array(z.object({ type: z.string().max(40), result: z.string().max(40), says: Text.optional() })).max(10),
  session: z.string().max(40).optional(), link: z.string().max(2_000).optional(),
});
export type Alert = z.infer<typeof Alert>;

/** One alert on its way to one channel. */
export const Queued = z.object({ version: z.literal(1), channel: ChannelId, alert: Alert, madeAt: z.number(), tries: z.int().min(0), nextAt: z.number(), failed: Text.optional() });
export type Queued = z.infer<typeof Queued>;

/** What is shown of a channel: the host of its address, nothing that lets others in. */
export const ChannelView = z.object({
  id: ChannelId, type: z.string(), host: z.string(), enabled: z.boolean(), recovery: z.boolean(), signed: z.boolean(), to: z.array(z.string()).optional(),
  waiting: z.int(), lastAt: z.number().optional(), lastFailed: Text.optional(),
});
export type ChannelView = z.infer<typeof ChannelView>;
