// Owns a follower of a log for tests: what a sink gets, read as a page reads it, one batch at a time.
import { readFrame } from '../../src/shared/log-frame.ts';
import type { LogItem } from '../../src/shared/live.ts';
import type { LogBatch, LogSink } from '../../src/observe/observe.ts';

/** Takes everything, unless it is stalled: then all that is given waits, as in a socket nobody reads. */
export class TestSink implements LogSink {
  readonly got: LogBatch[] = [];
  readonly #stalled: (() => void)[] = [];
  readonly #channels = new Map<number, number>();
  #room: () => void = () => undefined;
  #ring: () => void = () => undefined;
  stalled = false;
  waitingBytes = 0;
  mostBytes = 0;

  /** As a socket does it: what was taken may be written over. */
  frame(bytes: Buffer, sent?: () => void): void {
    this.waitingBytes += bytes.length;
    this.mostBytes = Math.max(this.mostBytes, this.waitingBytes);
    const take = (): void => { this.#take(bytes); sent?.(); };
    if (this.stalled) this.#stalled.push(take);
    else take();
  }
  batch(batch: LogBatch): void {
    if (batch.channel !== undefined) this.#channels.set(batch.channel, batch.passedBefore ?? 0);
    this.got.push(batch);
    this.#ring();
  }
  onRoom(call: () => void): void { this.#room = call; }
  claim(channel: number): boolean {
    if (this.#channels.has(channel)) return false;
    this.#channels.set(channel, 0);
    return true;
  }
  resume(): void {
    this.stalled = false;
    for (let take = this.#stalled.shift(); take !== undefined; take = this.#stalled.shift()) take();
    this.#room();
  }
  #take(bytes: Buffer): void {
    this.waitingBytes -= bytes.length;
    const frame = readFrame(bytes, 'abc');
    if (frame === undefined) throw new Error('the frame cannot be read');
    const before = this.#channels.get(frame.channel);
    if (before === undefined) throw new Error(`frames of channel ${frame.channel} were not announced`);
    this.#channels.set(frame.channel, frame.passed);
    this.got.push({ items: frame.items, dropped: 0, passed: frame.passed - before, cursor: frame.cursor });
    this.#ring();
  }

  /** The batches as they come, until the signal aborts; those not taken then stay in `got`. */
  async *batches(signal: AbortSignal): AsyncGenerator<LogBatch> {
    signal.addEventListener('abort', () => this.#ring(), { once: true });
    while (!signal.aborted) {
      const batch = this.got.shift();
      if (batch !== undefined) { yield batch; continue; }
      await new Promise<void>((resolve) => { this.#ring = resolve; });
    }
  }
}

/** Batches of what `start` follows, until the signal aborts. @throws what it throws */
export async function* followed(start: (sink: TestSink) => Promise<void>, signal: AbortSignal): AsyncGenerator<LogBatch> {
  const sink = new TestSink();
  const failed = new AbortController();
  let fault: unknown;
  const running = start(sink).catch((error: unknown) => { fault = error; failed.abort(); });
  for await (const batch of sink.batches(AbortSignal.any([signal, failed.signal]))) yield batch;
  await running;
  if (fault !== undefined) throw fault;
}

/** Takes items into a list of texts, lines that go on an entry joined to it. */
export function takeText(items: readonly LogItem[], texts: string[]): void {
  for (const item of items) {
    if ('line' in item) texts.push(item.line.text);
    else if ('more' in item) texts.push(`${texts.pop() ?? ''}\n${item.more.text}`);
  }
}
