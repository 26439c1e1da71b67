// Owns the way of a followed log into a plain text: whole lines, masked, with what was lost said in a line of its own.
import type { Response } from 'express';
import { readFrame } from '../../shared/log-frame.ts';
import type { LogLine } from '../../shared/model.ts';
import { plural } from '../../shared/units.ts';
import type { LogBatch, LogSink } from '../../observe/observe.ts';
import { masked } from '../routes/logs.ts';

export interface TextGiven {
  readonly source: string;
  readonly res: Response;
  mask(text: string): string;
  now(): number;
  /** Before each line. */
  readonly prefix: string;
  /** The place after what came last. */
  traced(cursor: string): void;
  wrote(): void;
  /** A line of the service's own. */
  say(text: string): void;
}

/** Notices that tell of lines which are not there; the others only tell what happens to files, which Kudu's clients do not expect. */
const OF_LOSS = new Set(['lost', 'failed']);

export class LogText implements LogSink {
  readonly #given: TextGiven;
  readonly #channels = new Set<number>();

  constructor(given: TextGiven) { this.#given = given; }

  frame(bytes: Buffer, sent?: () => void): void {
    const frame = readFrame(bytes, this.#given.source, this.#given.now());
    sent?.();
    if (frame === undefined) return;
    const lines = frame.items.flatMap((item) => ('line' in item ? [item.line] : 'more' in item ? [item.more] : []));
    this.#write(lines);
    this.#given.traced(frame.cursor);
  }

  batch(batch: LogBatch): void {
    for (const item of batch.items) {
      if ('line' in item) this.#write([item.line]);
      else if ('more' in item) this.#write([item.more]);
      else if (OF_LOSS.has(item.notice.kind)) this.#given.say(item.notice.text);
    }
    if (batch.dropped > 0) this.#given.say(`${plural(batch.droppedLines ?? batch.dropped, 'line')} lost: this client takes them too slowly.`);
    this.#given.traced(batch.cursor);
  }

  /** As they lie in the log: masked here. */
  lines(lines: readonly LogLine[]): void { this.#write(lines.map((line) => masked(line, (text) => this.#given.mask(text)))); }

  get waitingBytes(): number { return this.#given.res.writableLength; }
  onRoom(call: () => void): void { this.#given.res.on('drain', call); }
  claim(channel: number): boolean {
    if (this.#channels.has(channel)) return false;
    this.#channels.add(channel);
    return true;
  }

  #write(lines: readonly LogLine[]): void {
    const { res, prefix } = this.#given;
    if (lines.length === 0 || res.destroyed || res.writableEnded) return;
    const text = lines.map(({ text: one, cutBytes }) => `${one}${cutBytes === undefined ? '' : ` [${plural(cutBytes, 'byte')} of this line left out]`}`).join('\n');
    res.write(`${prefix === '' ? text : prefix + text.replaceAll('\n', `\n${prefix}`)}\n`);
    this.#given.wrote();
  }
}
