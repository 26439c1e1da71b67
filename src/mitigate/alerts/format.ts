// Owns how alerts are written for each kind of channel: one request for all that wait for it.
import { createHmac } from 'node:crypto';
import type { Alert, Channel } from '../../shared/alerts.ts';
import { utc } from '../../shared/units.ts';

export interface Written { readonly url: string; readonly body: string; readonly headers: Readonly<Record<string, string>> }

const JSON_TYPE = { 'content-type': 'application/json' } as const;
/** Who signs what was sent long ago is found out: the time is part of what is signed. */
export const SIGNATURE_HEADER = 'x-diag-signature';

/** What goes by mail is made by mail.ts. */
export type WebChannel = Exclude<Channel, { type: 'email' }>;

export function written(channel: WebChannel, alerts: readonly Alert[], now: number): Written {
  switch (channel.type) {
    case 'webhook': return webhook(channel, alerts, now);
    case 'slack': return { url: channel.url, headers: JSON_TYPE, body: JSON.stringify({ text: alerts.map(slackText).join('\n\n') }) };
    case 'teams': return { url: channel.url, headers: JSON_TYPE, body: JSON.stringify(teamsCard(alerts)) };
    case 'alertmanager': return { url: `${channel.url.replace(/\/+$/, '')}/api/v2/alerts`, headers: JSON_TYPE, body: JSON.stringify(alerts.map((alert) => managed(alert, now))) };
  }
}

function webhook({ url, secret }: Extract<Channel, { type: 'webhook' }>, alerts: readonly Alert[], now: number): Written {
  const body = JSON.stringify({ version: 1, alerts });
  const seconds = Math.floor(now / 1_000);
  const signature = secret === undefined ? {} : { [SIGNATURE_HEADER]: `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}` };
  return { url, body, headers: { ...JSON_TYPE, ...signature } };
}

const WORDS: Readonly<Record<Alert['status'], string>> = { firing: 'Fired', resolved: 'Over', test: 'Test' };
export const headline = ({ status, title, site, instance }: Alert): string => `${WORDS[status]}: ${title} (${site}, ${instance})`;
const deeds = ({ did }: Alert): string[] => did.map(({ type, result, says }) => `${type}: ${result}${says === undefined ? '' : `, ${says}`}`);

/** The three signs that Slack reads as its own. */
const slackSafe = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function slackText(alert: Alert): string {
  const link = alert.link === undefined ? [] : [`<${alert.link}|Open the session>`];
  return [`*${slackSafe(headline(alert))}*`, slackSafe(alert.text), ...deeds(alert).map((line) => `• ${slackSafe(line)}`), utc(alert.at), ...link].join('\n');
}

/** The form that Teams' workflows take. */
function teamsCard(alerts: readonly Alert[]): object {
  const block = (text: string, more: object = {}): object => ({ type: 'TextBlock', text, wrap: true, ...more });
  const body = alerts.flatMap((alert) => [block(headline(alert), { weight: 'Bolder' }), block(alert.text), ...deeds(alert).map((line) => block(line, { isSubtle: true, spacing: 'None' })), block(utc(alert.at), { isSubtle: true })]);
  const actions = alerts.flatMap(({ link, rule }) => (link === undefined ? [] : [{ type: 'Action.OpenUrl', title: `Session of ${rule}`, url: link }])).slice(0, 6);
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: { type: 'AdaptiveCard', version: '1.4', $schema: 'http://adaptivecards.io/schemas/adaptive-card.json', body, ...(actions.length > 0 ? { actions } : {}) } }] };
}

/** An alert of Alertmanager is known by its labels: the recovery carries those of the firing, and an end. */
function managed(alert: Alert, now: number): object {
  const ended = alert.status === 'firing' ? {} : { endsAt: new Date(alert.status === 'test' ? now : alert.at).toISOString() };
  return {
    labels: { alertname: alert.rule, site: alert.site, instance: alert.instance, source: 'diag' },
    annotations: { summary: headline(alert), description: [alert.text, ...deeds(alert)].join('\n') },
    startsAt: new Date(alert.since ?? alert.at).toISOString(), ...ended,
    ...(alert.link === undefined ? {} : { generatorURL: alert.link }),
  };
}
