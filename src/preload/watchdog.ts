// Owns the main thread's end of the watchdog: a thread that looks at this one while it stands still. It costs some 9 MiB, so it is there only after the loop was late, or while somebody follows.
import { join } from 'node:path';
import type { MessagePort, Worker } from 'node:worker_threads';
import { guarded } from './guarded.ts';
import { oldLimit } from './heap-room.ts';

/** By this name the looking thread asks which beat it has come upon; there only while it looks. */
const BEAT_NAME = 'app-service-diag.beat';
/** Node 16 may fall over its own feet when a session ends. */
const OLDEST_NODE = 18;

export interface WatchdogGiven { readonly beats: Int32Array; readonly beatName: string; readonly statePath: string; readonly heapLimit: number }
export interface WatchdogTold { readonly ready?: true; readonly beat?: number; readonly frames?: string[] }

export class Watchdog {
  readonly #statePath: string;
  readonly #beats = new Int32Array(new SharedArrayBuffer(4));
  readonly #seen = new Map<number, string[]>();
  #worker: Worker | undefined;
  #port: MessagePort | undefined;
  #ready = false;
  #broken = Number(process.versions.node.split('.')[0]) < OLDEST_NODE;

  constructor(statePath: string) {
    this.#statePath = statePath;
  }

  get isOn(): boolean { return this.#worker !== undefined; }
  /** It has come up: what stands still from now on is seen. */
  get isReady(): boolean { this.#read(); return this.#ready; }

  /** The beat that ends. */
  beat(): number {
    return Atomics.add(this.#beats, 0, 1);
  }

  start(): void {
    if (this.#worker !== undefined || this.#broken) return;
    try {
      this.#open();
    } catch {
      this.#broken = true;                                     // no inspector, or no threads allowed: delays are told without stacks
      this.stop();
    }
  }

  #open(): void {
    const { MessageChannel: Channel, Worker: Thread } = require('worker_threads') as typeof import('node:worker_threads');
    const { port1, port2 } = new Channel();
    const given: WatchdogGiven = { beats: this.#beats, beatName: BEAT_NAME, statePath: this.#statePath, heapLimit: oldLimit() };
    // Nothing of the app's own options: its other preloads have no business in this thread.
    const worker = new Thread(join(__dirname, 'preload-watchdog.js'), { env: {}, execArgv: [], workerData: { ...given, port: port2 }, transferList: [port2], stdin: false, stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 } });
    worker.unref();
    port1.unref();
    const gone = guarded(() => { if (this.#worker === worker) { this.#broken = true; this.stop(); } });
    worker.on('error', gone).on('exit', gone);
    this.#worker = worker;
    this.#port = port1;
    Object.defineProperty(process, Symbol.for(BEAT_NAME), { value: () => Atomics.load(this.#beats, 0), enumerable: false, configurable: true });
  }

  stop(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#port?.close();
    this.#port = undefined;
    this.#ready = false;
    this.#seen.clear();
    if (worker === undefined) return;
    delete (process as unknown as Record<symbol, unknown>)[Symbol.for(BEAT_NAME)];
    void worker.terminate().catch(() => undefined);
  }

  /** What was seen while this beat did not end; undefined: nothing yet. */
  framesOf(beat: number): string[] | undefined {
    this.#read();
    const frames = this.#seen.get(beat);
    if (frames !== undefined) for (const one of this.#seen.keys()) if (one <= beat) this.#seen.delete(one);
    return frames;
  }

  #read(): void {
    if (this.#port === undefined) return;
    const { receiveMessageOnPort: receive } = require('worker_threads') as typeof import('node:worker_threads');
    for (let got = receive(this.#port); got !== undefined; got = receive(this.#port)) {
      const { ready, beat, frames } = got.message as WatchdogTold;
      if (ready === true) this.#ready = true;
      if (beat !== undefined && frames !== undefined) this.#seen.set(beat, frames);
    }
  }
}
