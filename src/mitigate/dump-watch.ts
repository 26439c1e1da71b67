// Owns one watch of a process: its readings go through the triggers, each that fires takes a dump, until there are enough, the time is over, or the process ends.
import { DiagError } from '../shared/errors.ts';
import { untilAborted } from '../platform/clock.ts';
import type { FaultEnd, FaultOrder } from '../platform/platform.ts';
import type { DumpRecord } from './dump-record.ts';
import { askEventLoop, askHttp, counters, hearExceptions, letItEnd, questioning, type Silence } from './dump-sources.ts';
import { demandRoom, dumped, nameFor, recordOf, take, type TakeOrder, type Why } from './dump-take.ts';
import { Mailbox } from './mailbox.ts';
import { holdsFor, judge, type Condition } from './triggers/index.ts';
import { ARMED, step, type TriggerState } from './triggers/step.ts';
import type { Reading, Thrown } from './triggers/trigger.ts';

export interface WatchOrder extends TakeOrder {
  /** Any of them takes a dump; with none, and no faults, dumps are taken at once. */
  readonly conditions: readonly Condition[];
  readonly faults?: Pick<FaultOrder, 'faults' | 'exit' | 'signals'>;
  /** What is measured must hold for so long; between dumps without a trigger it is the pause. */
  readonly forMs: number;
  readonly count: number;
  /** No dump begins after it. */
  readonly untilAt?: number;
  /** Asked instead of the event loop. */
  readonly probe?: URL;
  /** The site's metrics as they are now. */
  metrics?(signal: AbortSignal): Promise<Readonly<Record<string, number>>>;
  kept(record: DumpRecord): void;
  /** All sources listen. */
  armed?(): void;
}

export type WatchEnd = 'count' | 'until' | 'target-ended';

const EVERY_MS = 1_000;
/** A process that dies hangs up before its fault is told, and before it has left the list; on a busy machine the one takes a while after the other. */
const DYING_MS = 5_000;
const DYING_LOOK_MS = 100;
/** An event loop that turns answers in a moment; asked this often, a silence is known to a quarter of a second. */
const ASK_EVERY_MS = 250;

type Letter =
  | { readonly says: 'reading'; readonly reading: Reading; readonly goOn?: () => void }
  | { readonly says: 'fault'; readonly end: FaultEnd; readonly file: string }
  | { readonly says: 'over'; readonly why: 'until' | 'target-ended' }
  | { readonly says: 'failed'; readonly error: unknown };

/** @throws what a source or a dump throws; CANCELLED. In every case the process runs on, and no half file is left */
export async function watchAndDump(order: WatchOrder): Promise<WatchEnd> {
  if (order.conditions.length === 0 && order.faults === undefined) return await atOnce(order);
  const watch = new Watch(order);
  try {
    return await watch.run();
  } finally {
    await watch.stop();
  }
}

async function atOnce(order: WatchOrder): Promise<WatchEnd> {
  const { platform, signal, untilAt = Infinity } = order;
  for (let n = 0; n < order.count; n += 1) {
    if (n > 0) await platform.clock.wait(order.forMs, signal);
    if (platform.clock.now() >= untilAt) return 'until';
    await take(order, { trigger: 'now', reason: 'it was asked for' }, (record) => { order.kept(record); });
  }
  return 'count';
}

class Watch {
  readonly #order: WatchOrder;
  readonly #over = new AbortController();
  readonly #all: AbortSignal;
  readonly #box = new Mailbox<Letter>();
  readonly #sources: Promise<void>[] = [];
  readonly #states = new Map<Condition, TriggerState>();
  #silence: Silence | undefined;
  /** The wait for a fault, which must let the process go before anything else can dump it. */
  #fault: { readonly let: AbortController; readonly over: Promise<void> } | undefined;
  #taken = 0;
  /** Exceptions at which the process stands, or because of which it is not let end. */
  readonly #open = new Set<Promise<void>>();
  /** Node is at its end and waits for us to hang up. */
  #ends = false;

  constructor(order: WatchOrder) {
    this.#order = order;
    this.#all = AbortSignal.any([order.signal, this.#over.signal]);
  }

  async run(): Promise<WatchEnd> {
    await this.#begin();
    this.#order.armed?.();
    for (;;) {
      const letter = await this.#box.next(this.#order.signal);
      if (letter.says === 'failed') throw letter.error;
      if (letter.says === 'over') {
        if (letter.why === 'target-ended') await this.#lastWords();
        return this.#enough() ? 'count' : letter.why;
      }
      if (letter.says === 'fault') await this.#atFault(letter);
      else await this.#at(letter);
      if (this.#enough()) return 'count';
    }
  }

  async stop(): Promise<void> {
    this.#over.abort();
    for (const letter of this.#box.drain()) if (letter.says === 'reading') letter.goOn?.();
    await Promise.all([...this.#sources, this.#fault?.over]);
  }

  #enough(): boolean { return this.#taken >= this.#order.count; }

  /** A source whose failure is the watch's failure, unless the watch is over. */
  #start(source: Promise<void>): void {
    this.#sources.push(source.catch((error: unknown) => { if (!this.#all.aborted) this.#box.put({ says: 'failed', error }); }));
  }

  async #begin(): Promise<void> {
    const { conditions, probe, faults, untilAt, platform } = this.#order;
    if (this.#order.takes.memory !== undefined || faults !== undefined) await this.#demand();
    const exceptions = conditions.filter((one) => one.type === 'exception');
    const loop = probe === undefined && conditions.some((one) => one.type === 'hang');
    if (exceptions.length > 0 || loop) await this.#listen(exceptions, loop);
    if (probe !== undefined) {
      const asked = questioning(platform, EVERY_MS, (signal) => askHttp(probe, signal), this.#all);
      this.#silence = asked;
      this.#start(asked.over);
    }
    if (faults !== undefined) await this.#holdForFault();
    if (untilAt !== undefined) this.#start(this.#until(untilAt));
    this.#start(this.#measure());
  }

  /** Before anything is touched: with no room there is nothing to wait for. */
  async #demand(): Promise<void> {
    const { platform, target, folder, takes, signal } = this.#order;
    const kind = takes.memory?.kind;
    if (kind !== undefined && !platform.dumpKinds.includes(kind)) throw new DiagError('CAPABILITY_MISSING', { what: `A ${kind} dump`, because: `on this system it is one of: ${platform.dumpKinds.join(', ') || 'none'}` });
    await demandRoom(folder, 'A memory dump', await platform.dumpEstimate(target, signal, kind));
  }

  async #until(at: number): Promise<void> {
    const { clock } = this.#order.platform;
    await clock.wait(Math.max(0, at - clock.now()), this.#all);
    this.#box.put({ says: 'over', why: 'until' });
  }

  async #measure(): Promise<void> {
    const { platform, target, metrics } = this.#order;
    const read = counters(platform, target);
    for (;;) {
      const counted = await read(this.#all);
      if (counted === undefined) { this.#box.put({ says: 'over', why: 'target-ended' }); return; }
      const silentMs = this.#silence?.silentMs();
      const known = await metrics?.(this.#all);
      this.#box.replace((letter) => letter.says === 'reading' && letter.goOn === undefined, { says: 'reading', reading: { ...counted, ...(silentMs === undefined ? {} : { silentMs }), ...(known === undefined ? {} : { metrics: known }) } });
      await platform.clock.wait(EVERY_MS, this.#all);
    }
  }

  /** Resolves when the inspector listens; the conversation lasts as long as the watch. */
  async #listen(exceptions: readonly Extract<Condition, { type: 'exception' }>[], loop: boolean): Promise<void> {
    const { platform, target } = this.#order;
    await new Promise<void>((begun, failed) => {
      this.#start(platform.inspect(target, this.#all, async (inspector) => {
        if (exceptions.length > 0) await hearExceptions(inspector, exceptions.some(({ first }) => first), platform.clock.now(), (thrown) => this.#heard(thrown, exceptions));
        const asked = loop ? questioning(platform, ASK_EVERY_MS, () => askEventLoop(inspector), this.#all) : undefined;
        if (asked !== undefined) { this.#silence = asked; this.#start(asked.over.catch((error: unknown) => { void error; })); }
        const ends = new Promise<void>((resolve) => { void letItEnd(inspector, () => { this.#ends = true; resolve(); }).then(begun, failed); });
        await Promise.race([inspector.over, untilAborted(this.#all), ends]);
        await this.#dealtWith();
        await inspector.hangUp();
        if (!this.#all.aborted) await this.#hungUp();
      }).catch(async (error: unknown) => {
        failed(error as Error);
        if (!this.#ends && await this.#lives()) throw error;   // a process that has ended hangs up, which the counters tell better
      }));
    });
  }

  /** Every exception that counts was dumped. */
  async #dealtWith(): Promise<void> {
    while (this.#open.size > 0 && !this.#all.aborted) await Promise.race([...this.#open, untilAborted(this.#all)]);
  }

  /** The process ends, which the counters tell; or somebody closed its inspector. */
  async #hungUp(): Promise<void> {
    const { clock } = this.#order.platform;
    for (const until = clock.monotonic() + DYING_MS; !this.#ends && clock.monotonic() < until && await this.#lives();) {
      await clock.wait(DYING_LOOK_MS, this.#all).catch(() => undefined);
      if (this.#all.aborted) return;
    }
    if (this.#ends) return;
    if (await this.#lives()) this.#box.put({ says: 'failed', error: new DiagError('INSPECTOR_FAILED', { pid: this.#order.target.pid, why: 'it was closed while we listened' }) });
    else this.#box.put({ says: 'over', why: 'target-ended' });
  }

  async #lives(): Promise<boolean> {
    const { platform, target } = this.#order;
    return (await platform.usage([target.pid], this.#all)).get(target.pid)?.startedAt === target.startedAt;
  }

  /** Undefined: it does not count, the process goes on at once. Else it stands at the throw until it was dumped. */
  #heard(thrown: Thrown, exceptions: readonly Condition[]): Promise<void> | undefined {
    const reading = { at: this.#order.platform.clock.now(), thrown };
    if (this.#all.aborted || this.#enough() || !exceptions.some((one) => judge(one, reading).verdict === 'yes')) return undefined;
    const open = new Promise<void>((goOn) => { this.#box.put({ says: 'reading', reading, goOn }); });
    this.#open.add(open);
    void open.then(() => { this.#open.delete(open); });
    return open;
  }

  async #at({ reading, goOn }: Extract<Letter, { says: 'reading' }>): Promise<void> {
    const { takes } = this.#order;
    try {
      const why = this.#judged(reading);
      if (why === undefined) return;
      // A profile is of a process that runs.
      if (takes.cpuProfileMs !== undefined || takes.heapProfileMs !== undefined) goOn?.();
      await this.#take(why);
    } finally {
      goOn?.();
    }
  }

  #judged(reading: Reading): Why | undefined {
    let why: Why | undefined;
    for (const condition of this.#order.conditions) {
      const { state, fires } = step(this.#states.get(condition) ?? ARMED, judge(condition, reading), reading.at, holdsFor(condition, this.#order.forMs));
      this.#states.set(condition, state);
      if (fires !== undefined) why ??= { trigger: condition.type, reason: fires };
    }
    return why;
  }

  async #take(why: Why): Promise<void> {
    this.#order.progress(why.reason);
    await this.#letFaultGo();
    await take(this.#order, why, (record) => { this.#order.kept(record); });
    this.#taken += 1;
    this.#silence?.forgive();
    if (!this.#enough() && this.#order.faults !== undefined) await this.#holdForFault();
  }

  /** Resolves when the process is held, or cannot be. */
  async #holdForFault(): Promise<void> {
    const { platform, target, faults } = this.#order;
    if (faults === undefined) return;
    const file = await nameFor(this.#order, 'core-dump');
    const let_ = new AbortController();
    await new Promise<void>((held) => {
      const over = platform.dumpAtFault(target, { file, ...faults, watching: held, progress: () => undefined }, AbortSignal.any([this.#all, let_.signal]))
        .then((end) => { this.#box.put({ says: 'fault', end, file }); }, (error: unknown) => { if (!let_.signal.aborted && !this.#all.aborted) this.#box.put({ says: 'failed', error }); })
        .finally(held);
      this.#fault = { let: let_, over };
    });
  }

  async #letFaultGo(): Promise<void> {
    this.#fault?.let.abort();
    await this.#fault?.over;
    this.#fault = undefined;
  }

  async #atFault({ end, file }: Extract<Letter, { says: 'fault' }>): Promise<void> {
    if (end.happened === 'ended') { this.#box.put({ says: 'over', why: 'target-ended' }); return; }
    this.#order.kept(await recordOf(this.#order, { trigger: 'fault', reason: end.says }, file, dumped(end.result)));
    this.#taken += 1;
    if (!this.#enough()) await this.#holdForFault();
  }

  /** The process has ended: a dump of its end may just be coming. */
  async #lastWords(): Promise<void> {
    if (this.#fault === undefined) return;
    await Promise.race([this.#fault.over, untilAborted(this.#order.signal)]);
    for (const letter of this.#box.drain()) if (letter.says === 'fault' && letter.end.happened === 'dumped' && !this.#enough()) await this.#atFault(letter);
  }
}
