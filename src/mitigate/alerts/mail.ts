// Owns alerts by e-mail: one message for all that wait, over SMTP with TLS, to the very address that was checked; plain text only.
import { createHash } from 'node:crypto';
import type { Alert, Channel } from '../../shared/alerts.ts';
import { DiagError, sayError } from '../../shared/errors.ts';
import { utc } from '../../shared/units.ts';
import { within } from '../../platform/clock.ts';
import { checkedAddress, type WebPolicy } from '../web.ts';
import { headline } from './format.ts';

export type MailChannel = Extract<Channel, { type: 'email' }>;

const MAX_SUBJECT = 200;
/** What the server says is shown; a wrong password is often repeated in it. */
const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim();

/** @throws ADDRESS_REFUSED, WEB_FAILED, TIMED_OUT, CANCELLED */
export async function sendMail(channel: MailChannel, alerts: readonly Alert[], { policy, limitMs, ca }: { readonly policy: WebPolicy; readonly limitMs: number; readonly ca?: string | undefined }, signal: AbortSignal): Promise<void> {
  const { host, port, security, user, password } = channel;
  const { address } = await checkedAddress(host, policy);
  const { createTransport } = await import('nodemailer');
  const limit = within(limitMs, signal);
  const transport = createTransport({
    host: address, port, secure: security === 'tls', requireTLS: security === 'starttls', ignoreTLS: security === 'none',
    tls: { servername: host, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password } }),
    connectionTimeout: limitMs, greetingTimeout: limitMs, socketTimeout: limitMs, dnsTimeout: limitMs, disableFileAccess: true, disableUrlAccess: true,
  });
  const stop = (): void => { transport.close(); };
  const aborted = new Promise<never>((_, reject) => { limit.addEventListener('abort', () => { reject(limit.reason as Error); }, { once: true }); });
  try {
    await Promise.race([transport.sendMail(message(channel, alerts)), aborted]);
  } catch (error) {
    if (signal.aborted) throw new DiagError('CANCELLED', { what: `The message to ${host}` }, { cause: error });
    if (limit.aborted) throw new DiagError('TIMED_OUT', { what: `The answer of ${host}`, limit: `${limitMs} ms` }, { cause: error });
    throw new DiagError('WEB_FAILED', { host, why: withoutSecret(oneLine(sayError(error)).slice(0, 300), channel) });   // without its cause: it holds what was said to the server
  } finally {
    stop();
  }
}

interface Message { readonly from: string; readonly to: string[]; readonly subject: string; readonly text: string; readonly messageId: string; readonly headers: Readonly<Record<string, string>> }

function message({ from, to }: MailChannel, alerts: readonly Alert[]): Message {
  const [first] = alerts;
  const more = alerts.length > 1 ? ` and ${alerts.length - 1} more` : '';
  const id = createHash('sha256').update(alerts.map((alert) => alert.id).join(' ')).digest('hex').slice(0, 32);
  return {
    from, to: [...to], subject: oneLine(`${first === undefined ? '' : headline(first)}${more}`).slice(0, MAX_SUBJECT),
    text: alerts.map(textOf).join('\n\n----\n\n'),
    // The same for every try: a server that knows ids tells a second one from the first. No machine answers these with its own absence.
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`, headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
  };
}

function textOf(alert: Alert): string {
  const did = alert.did.map(({ type, result, says }) => `- ${type}: ${result}${says === undefined ? '' : `, ${says}`}`);
  return [headline(alert), '', alert.text, ...(did.length === 0 ? [] : ['', ...did]), '', utc(alert.at), ...(alert.link === undefined ? [] : [alert.link])].join('\n');
}

function withoutSecret(text: string, { user, password }: MailChannel): string {
  const coded = password === undefined ? [] : [password, Buffer.from(password).toString('base64'), Buffer.from(`\u0000${user ?? ''}\u0000${password}`).toString('base64')];
  return coded.reduce((said, secret) => said.replaceAll(secret, '***'), text);
}
