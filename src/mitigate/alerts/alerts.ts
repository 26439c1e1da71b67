// Owns alerts from end to end: their settings on disk, what is told of a firing and its end, the queue, and a test.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AlertSettings, type Alert, type Channel, type ChannelView } from '../../shared/alerts.ts';
import { DiagError, sayError } from '../../shared/errors.ts';
import type { ActionResult, RuleEntry } from '../../shared/rules.ts';
import { codeIn, writeAtomic } from '../../store/atomic.ts';
import type { FiringContext, Hand } from '../rules/firing.ts';
import { askWeb, checkedUrl, type WebPolicy } from '../web.ts';
import { written } from './format.ts';
import { sendMail } from './mail.ts';
import { AlertQueue } from './queue.ts';

export const ALERTS_FILE = 'alerts.json';
const MAX_TITLE = 200;

export interface AlertsGiven {
  /** data/DaaS/diag, for settings that all instances share; and the folder of this instance's queue. */
  readonly own: string;
  readonly queue: string;
  readonly site: string;
  readonly instance: string;
  /** Where the page of this agent is, as far as it is known. */
  readonly page: string | undefined;
  readonly policy: WebPolicy;
  /** Certificates of a private authority, for a mail server inside; undefined: those that Node itself knows. */
  readonly mailCa?: string | undefined;
  now(): number;
  mask(text: string): string;
}

export class Alerts {
  readonly #given: AlertsGiven;
  readonly #signal: AbortSignal;
  readonly #queue: AlertQueue;
  #settings: AlertSettings = { channels: [] };
  #text = '';
  #fault: string | undefined;

  constructor(given: AlertsGiven, signal: AbortSignal) {
    this.#given = given;
    this.#signal = signal;
    this.#queue = new AlertQueue({ folder: given.queue, now: () => given.now(), channels: () => this.#settings.channels, send: (channel, alerts, limitMs) => this.#send(channel, alerts, limitMs) });
  }

  /** Reads the settings where they changed; a file that cannot be used keeps those that are known, and is told. */
  async look(): Promise<void> {
    const text = await settingsText(join(this.#given.own, ALERTS_FILE));
    if (text === this.#text) return;
    this.#text = text;
    try {
      this.#settings = AlertSettings.parse(text === '' ? {} : JSON.parse(text));
      this.#fault = undefined;
    } catch (error) {
      this.#fault = `alerts.json cannot be used: ${sayError(error).slice(0, 300)}`;
    }
  }

  load(): Promise<void> { return this.#queue.load(); }
  flush(): Promise<void> { return this.#queue.flush(); }
  fault(): string | undefined { return this.#fault; }
  lost(): ReturnType<AlertQueue['lost']> { return this.#queue.lost(); }

  channels(): ChannelView[] {
    return this.#settings.channels.map((one) => {
      const last = this.#queue.last(one.id);
      return { id: one.id, type: one.type, host: hostOf(one), enabled: one.enabled, recovery: one.recovery, signed: one.type === 'webhook' && one.secret !== undefined, ...(one.type === 'email' ? { to: [...one.to] } : {}), waiting: this.#queue.waiting(one.id), ...(last && { lastAt: last.at }), ...(last?.failed !== undefined && { lastFailed: last.failed }) };
    });
  }

  /** Adds or replaces a channel. @throws ADDRESS_REFUSED, BAD_INPUT */
  async put(channel: Channel): Promise<void> {
    if (channel.type !== 'email') checkedUrl(channel.url);
    await this.look();
    const others = this.#settings.channels.filter(({ id }) => id !== channel.id);
    await this.#save({ ...this.#settings, channels: [...others, channel] });
  }

  /** @throws CHANNEL_UNKNOWN */
  async remove(id: string): Promise<void> {
    await this.look();
    this.#of(id);
    await this.#save({ ...this.#settings, channels: this.#settings.channels.filter((one) => one.id !== id) });
  }

  /** Sends now, not by the queue: who presses the button wants to see what comes of it. @throws CHANNEL_UNKNOWN, ADDRESS_REFUSED, WEB_FAILED, TIMED_OUT */
  async test(id: string): Promise<void> {
    await this.look();
    const { site, instance } = this.#given;
    const at = this.#given.now();
    await this.#send(this.#of(id), [{ id: `test-${at}`, status: 'test', rule: 'test', title: 'A test of this channel', text: 'Nothing is wrong: somebody pressed the test button.', at, site, instance, did: [] }], 15_000);
  }

  hand(): Hand {
    const notify = async (channels: readonly string[] | undefined, on: FiringContext): Promise<ActionResult> => {
      await this.look();
      const wanted = this.#settings.channels.filter(({ id, enabled }) => enabled && (channels === undefined || channels.includes(id)));
      if (wanted.length === 0) return { result: 'failed', says: channels === undefined ? 'no channel is set up' : `none of the channels ${channels.join(', ')} is set up and on` };
      const alert = this.#alertOf(on);
      for (const { id } of wanted) await this.#queue.add(id, alert);
      await this.#queue.flush();
      const waiting = wanted.flatMap(({ id }) => { const why = this.#queue.left(id, alert.id); return why === undefined ? [] : [`${id} did not take it yet (${why}) and is tried again`]; });
      return { result: 'done', says: waiting.length === 0 ? `told to ${wanted.map(({ id }) => id).join(', ')}` : waiting.join('; ') };
    };
    return {
      run: (step, on) => notify(step.type === 'notify' ? step.channels : undefined, on),
      // What is in the queue has the same name the second time, and receivers know it by its id.
      after: () => Promise.resolve(undefined),
    };
  }

  /** The condition of a firing is over: told where the firing was. `channels` undefined: all. */
  async over(entry: Extract<RuleEntry, { did: 'over' }>, title: string, channels: readonly string[] | undefined): Promise<void> {
    const { site, instance } = this.#given;
    const alert: Alert = { id: `${entry.firing ?? entry.rule}-over`, status: 'resolved', rule: entry.rule, title: this.#masked(title, MAX_TITLE), text: 'What the rule waits for is not so any more.', at: entry.at, site, instance, did: [], ...(entry.firing === undefined ? {} : { firing: entry.firing }) };
    for (const one of this.#settings.channels) if (one.enabled && one.recovery && (channels === undefined || channels.includes(one.id))) await this.#queue.add(one.id, alert);
  }

  #alertOf({ fired, before }: FiringContext): Alert {
    const { site, instance } = this.#given;
    const session = [...before].reverse().find((one) => one.session !== undefined)?.session;
    const page = this.#settings.pageUrl ?? this.#given.page;
    const link = session === undefined || page === undefined ? undefined : `${page.replace(/\/+$/, '')}/analyze/${session}`;
    return {
      id: `${instance}-${fired.firing}`, status: 'firing', rule: fired.rule, title: this.#masked(fired.rule, MAX_TITLE), text: this.#masked(fired.condition), at: fired.at, site, instance, firing: fired.firing,
      did: before.map(({ type, result, says }) => ({ type, result, ...(says === undefined ? {} : { says: this.#masked(says, 500) }) })),
      ...(session === undefined ? {} : { session }), ...(link === undefined ? {} : { link }),
    };
  }

  #masked(text: string, most = 2_000): string { return this.#given.mask(text).slice(0, most); }

  async #send(channel: Channel, alerts: readonly Alert[], limitMs: number): Promise<void> {
    if (channel.type === 'email') { await sendMail(channel, alerts, { policy: this.#given.policy, limitMs, ca: this.#given.mailCa }, this.#signal); return; }
    const { url, body, headers } = written(channel, alerts, this.#given.now());
    const { status, text } = await askWeb({ method: 'POST', url, body, headers, limitMs }, this.#given.policy, this.#signal);
    if (status < 200 || status > 299) throw new DiagError('WEB_FAILED', { host: new URL(url).host, why: `it answered ${status}${status >= 300 && status < 400 ? ', a redirect, which is not followed' : `: ${this.#masked(text.trim(), 200)}`}` });
  }

  #of(id: string): Channel {
    const found = this.#settings.channels.find((one) => one.id === id);
    if (found === undefined) throw new DiagError('CHANNEL_UNKNOWN', { channel: id });
    return found;
  }

  async #save(settings: AlertSettings): Promise<void> {
    if (this.#fault !== undefined) throw new DiagError('BAD_INPUT', { why: this.#fault });
    const checked = AlertSettings.safeParse(settings);
    if (!checked.success) throw new DiagError('BAD_INPUT', { why: checked.error.issues[0]?.message });
    const text = `${JSON.stringify(checked.data, null, 2)}\n`;
    await writeAtomic(join(this.#given.own, ALERTS_FILE), text);
    this.#text = text;
    this.#settings = checked.data;
  }
}

const hostOf = (channel: Channel): string => (channel.type === 'email' ? `${channel.host}:${channel.port}` : new URL(channel.url).host);

async function settingsText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return '';
    throw error;
  }
}
