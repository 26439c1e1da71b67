// Owns the life of the preload in one process: quiet until the process serves, counting only while somebody listens, a note at the end.
import cluster from 'node:cluster';
import { listen } from './channels.ts';
import { Crash, isChildOfApp } from './crash.ts';
import { Counting } from './counting.ts';
import { guarded } from './guarded.ts';
import { driverChannelsOf, type Surroundings } from './guards.ts';
import { Link } from './link.ts';
import { placesOf, type Places } from './places.ts';
import { after, every, now } from './time.ts';
import { resourceTypes } from './vitals.ts';

declare const DIAG_VERSION: string;

const TICK_MS = 1_000;
/** The first looks whether this process serves come soon, the later ones seldom: most that do not serve by then never will. */
const FIRST_LOOK_MS = 250;
const LAST_LOOK_MS = 10_000;
/** An agent that restarts is back by then: what is in flight stays known. */
const LINGER_MS = 60_000;
const WANT_LOOK_MS = 10_000;

export class App {
  readonly #places: Places;
  readonly #counting: Counting;
  readonly #crash: Crash;
  #link: Link | undefined;
  #ticking: (() => void) | undefined;
  #isNew = false;
  #heardAt = 0;

  constructor(env: Surroundings['env']) {
    this.#places = placesOf(env);
    const counting = new Counting({ places: this.#places, drivers: driverChannelsOf(env), isOwn: (server) => this.#link?.isOwn(server) === true, onFatal: (failure) => { this.#crash.fatal(failure); } });
    this.#counting = counting;
    this.#crash = new Crash({
      places: this.#places, isTheApp: () => this.#link !== undefined || cluster.isWorker || !isChildOfApp(this.#places),
      inFlight: () => (this.#ticking === undefined ? undefined : counting.inFlight), oldest: () => counting.oldest(), last: () => counting.lastFailure,
    });
  }

  start(): void {
    this.#counting.attach();
    process.on('exit', guarded((code: number) => { this.#end(code); }));
    // The first request, or a look that finds a server: whatever comes first.
    const stop = listen({ 'http.server.request.start': () => { after(0, guarded(serves)); } });
    const serves = (): void => {
      if (this.#link !== undefined) return;
      stop();
      this.#serve();
    };
    const look = (inMs: number): void => {
      after(inMs, guarded(() => {
        if (this.#link !== undefined) return;
        if (listensThroughPrimary() || resourceTypes().some((type) => /^(?:TCPServerWrap|PipeServerWrap|Server)$/.test(type))) serves();
        else look(Math.min(2 * inMs, LAST_LOOK_MS));
      }));
    };
    look(FIRST_LOOK_MS);
  }

  #serve(): void {
    const link = new Link({
      places: this.#places, preload: DIAG_VERSION, onListener: () => { this.#isNew = true; this.#count(); },
      onAsk: (wanted, answer) => { void this.#counting.questions.answer(wanted, answer); },
    });
    this.#link = link;
    link.open();
    every(WANT_LOOK_MS, guarded(() => { link.look(); }));
  }

  #count(): void {
    this.#heardAt = now();
    if (this.#ticking !== undefined) return;
    this.#counting.start();
    this.#ticking = every(TICK_MS, guarded(() => { this.#tick(); }));
  }

  #tick(): void {
    const link = this.#link;
    if (link === undefined) return;
    const at = now();
    if (link.isHeard) this.#heardAt = at;
    else if (at - this.#heardAt > LINGER_MS) { this.#rest(); return; }
    this.#counting.look();
    if (link.isStuck) return;
    const tick = this.#counting.drain(this.#isNew, link.lost());
    this.#isNew = false;
    link.send(tick);
  }

  /** Nobody listens any more: back to costing nothing. */
  #rest(): void {
    this.#ticking?.();
    this.#ticking = undefined;
    this.#counting.stop();
  }

  #end(code: number): void {
    this.#crash.exit(code);
    this.#counting.end();
    this.#link?.close();
  }
}

/** A worker of a cluster has no server of its own where its primary hands out the connections. */
function listensThroughPrimary(): boolean {
  return (cluster.worker as { readonly state?: unknown } | undefined)?.state === 'listening';
}
