// Owns the alerts on their way: one file each until its channel has taken it, tried again ever more seldom, grouped by channel.
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sayError } from '../../shared/errors.ts';
import { Queued, type Alert, type Channel } from '../../shared/alerts.ts';
import { jsonAs } from '../../shared/json-as.ts';
import { isTemp, namesIn, writeAtomic } from '../../store/atomic.ts';

/** Beyond this the oldest goes and is counted: who was not reached for so long is told the newest. */
const KEPT = 500;
const DAY_MS = 86_400_000;
const FIRST_PAUSE_MS = 5_000;
const LAST_PAUSE_MS = 3_600_000;
/** Alerts in one request. */
const GROUP = 50;
const ASK_MS = 15_000;

export interface QueuePorts {
  readonly folder: string;
  now(): number;
  channels(): readonly Channel[];
  /** One request to a channel. @throws when it was not taken */
  send(channel: Channel, alerts: readonly Alert[], limitMs: number): Promise<void>;
}

interface Waiting { readonly file: string; item: Queued }

export class AlertQueue {
  readonly #ports: QueuePorts;
  readonly #waiting = new Map<string, Waiting>();
  readonly #last = new Map<string, { at: number; failed?: string }>();
  readonly #sending = new Map<string, Promise<void>>();
  #dropped = 0;

  constructor(ports: QueuePorts) {
    this.#ports = ports;
  }

  /** What an earlier run left. A file that cannot be read is put away with a count. */
  async load(): Promise<void> {
    for (const name of (await namesIn(this.#ports.folder)).filter((one) => one.endsWith('.json') && !isTemp(one)).sort()) {
      const file = join(this.#ports.folder, name);
      const item = await read(file);
      if (item === undefined) { this.#dropped += 1; await rm(file, { force: true }); } else this.#waiting.set(name, { file, item });
    }
  }

  /** On disk when it resolves; the same alert for the same channel is there once. */
  async add(channel: string, alert: Alert): Promise<void> {
    const name = `${createHash('sha256').update(`${channel} ${alert.id}`).digest('hex').slice(0, 32)}.json`;
    if (this.#waiting.has(name)) return;
    const now = this.#ports.now();
    const one: Waiting = { file: join(this.#ports.folder, name), item: { version: 1, channel, alert, madeAt: now, tries: 0, nextAt: now } };
    await writeAtomic(one.file, JSON.stringify(one.item));
    this.#waiting.set(name, one);
    for (const [oldest, { file }] of this.#waiting) {
      if (this.#waiting.size <= KEPT) break;
      await this.#leave(oldest, file);
      this.#dropped += 1;
    }
  }

  /** Sends what is due, each channel on its own; a channel that does not answer holds up no other. */
  async flush(): Promise<void> {
    await Promise.all([...new Set([...this.#waiting.values()].map(({ item }) => item.channel))].map((id) => this.#channel(id)));
  }

  waiting(channel: string): number { return [...this.#waiting.values()].filter(({ item }) => item.channel === channel).length; }
  last(channel: string): { readonly at: number; readonly failed?: string } | undefined { return this.#last.get(channel); }
  /** Whether this alert still waits, and why. */
  left(channel: string, alert: string): string | undefined {
    const found = [...this.#waiting.values()].find(({ item }) => item.channel === channel && item.alert.id === alert);
    return found && (found.item.failed ?? 'it was not tried yet');
  }
  lost(): readonly { readonly what: string; readonly count: number }[] { return this.#dropped > 0 ? [{ what: 'alerts that no channel took in time', count: this.#dropped }] : []; }

  async #channel(id: string): Promise<void> {
    const running = this.#sending.get(id);
    if (running !== undefined) { await running; return; }
    const sending = this.#send(id).finally(() => { this.#sending.delete(id); });
    this.#sending.set(id, sending);
    await sending;
  }

  async #send(id: string): Promise<void> {
    const now = this.#ports.now();
    const channel = this.#ports.channels().find((one) => one.id === id && one.enabled);
    const mine = [...this.#waiting].filter(([, { item }]) => item.channel === id);
    for (const [name, { item, file }] of mine) {
      if (channel !== undefined && now - item.madeAt < DAY_MS) continue;
      await this.#leave(name, file);
      this.#dropped += 1;
    }
    const due = mine.filter(([name, { item }]) => this.#waiting.has(name) && item.nextAt <= now).slice(0, GROUP);
    if (channel === undefined || due.length === 0) return;
    try {
      await this.#ports.send(channel, due.map(([, { item }]) => item.alert), ASK_MS);
      this.#last.set(id, { at: this.#ports.now() });
      for (const [name, { file }] of due) await this.#leave(name, file);
    } catch (error) {
      await this.#failed(id, due.map(([, one]) => one), sayError(error).slice(0, 2_000));
    }
  }

  /** A channel that is down is asked after 5 s, 10 s, 20 s … an hour. */
  async #failed(id: string, due: readonly Waiting[], failed: string): Promise<void> {
    const now = this.#ports.now();
    this.#last.set(id, { at: now, failed });
    for (const one of due) {
      one.item = { ...one.item, tries: one.item.tries + 1, failed, nextAt: now + Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** one.item.tries) };
      await writeAtomic(one.file, JSON.stringify(one.item));
    }
  }

  async #leave(name: string, file: string): Promise<void> {
    this.#waiting.delete(name);
    await rm(file, { force: true });
  }
}

const read = async (file: string): Promise<Queued | undefined> => jsonAs(Queued, await readFile(file, 'utf8'));
