// Owns the life of the preload in one process: quiet until the process serves, counting only while somebody listens, a note at the end.
import cluster from 'node:cluster';
import type { AppTick } from '../shared/app-link.ts';
import { listen } from './channels.ts';
import { Crash, isChildOfApp } from './crash.ts';
import { Dependencies } from './dependencies.ts';
import { Failures } from './failures.ts';
import { faults, guarded } from './guarded.ts';
import type { Surroundings } from './guards.ts';
import { Link } from './link.ts';
import { Loop } from './loop.ts';
import { placesOf, type Places } from './places.ts';
import { Requests } from './requests.ts';
import { Stalls } from './stalls.ts';
import { after, epoch, every, now } from './time.ts';
import { VitalSigns, resourceTypes } from './vitals.ts';

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
  readonly #requests = new Requests();
  readonly #dependencies = new Dependencies();
  readonly #failures: Failures;
  readonly #crash: Crash;
  readonly #stalls = new Stalls();
  readonly #loop = new Loop({ onTurn: (lateMs) => { this.#stalls.turn(lateMs); } });
  #vitals: VitalSigns | undefined;
  #link: Link | undefined;
  #counting: (() => void) | undefined;
  #isNew = false;
  #seq = 0;
  #tickAt = 0;
  #heardAt = 0;

  constructor(env: Surroundings['env']) {
    this.#places = placesOf(env);
    this.#failures = new Failures({ route: () => this.#requests.only(), onFatal: (failure) => { this.#crash.fatal(failure); } });
    this.#crash = new Crash({
      places: this.#places, isTheApp: () => this.#link !== undefined || cluster.isWorker || !isChildOfApp(this.#places),
      inFlight: () => (this.#counting === undefined ? undefined : this.#requests.inFlight), oldest: () => this.#requests.oldest(), last: () => this.#failures.last,
    });
  }

  start(): void {
    this.#failures.attach();
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
        if (resourceTypes().some((type) => /^(?:TCPServerWrap|PipeServerWrap|Server)$/.test(type))) serves();
        else look(Math.min(2 * inMs, LAST_LOOK_MS));
      }));
    };
    look(FIRST_LOOK_MS);
  }

  #serve(): void {
    const link = new Link({ places: this.#places, preload: DIAG_VERSION, onListener: () => { this.#isNew = true; this.#count(); } });
    this.#link = link;
    link.open();
    every(WANT_LOOK_MS, guarded(() => { link.look(); }));
  }

  #count(): void {
    this.#heardAt = now();
    if (this.#counting !== undefined) return;
    this.#vitals ??= new VitalSigns();
    this.#requests.start();
    this.#dependencies.start();
    this.#vitals.start();
    this.#loop.start();
    this.#tickAt = now();
    this.#counting = every(TICK_MS, guarded(() => { this.#tick(); }));
  }

  #tick(): void {
    const link = this.#link;
    if (link === undefined) return;
    const at = now();
    if (link.isHeard) this.#heardAt = at;
    else if (at - this.#heardAt > LINGER_MS) { this.#rest(); return; }
    if (link.isStuck) return;
    const tick: AppTick = {
      type: 'tick', seq: this.#seq, at: epoch(), forMs: at - this.#tickAt,
      ...this.#requests.drain(), dependencies: this.#dependencies.drain(),
      ...this.#loop.drain(), ...this.#vitals?.drain() ?? { gc: [] },
      stalls: this.#stalls.drain(), failures: this.#failures.drain(this.#isNew), lost: this.#lost(),
    };
    this.#seq += 1;
    this.#tickAt = at;
    this.#isNew = false;
    link.send(tick);
  }

  #lost(): [string, number][] {
    const own: [string, number][] = [[`faults of the preload${faults.last === '' ? '' : `: ${faults.last}`}`.slice(0, 80), faults.count]];
    return [...own, ...this.#requests.lost(), ...this.#dependencies.lost(), ...this.#failures.lost(), ...this.#link?.lost() ?? []].filter(([, count]) => count > 0);
  }

  /** Nobody listens any more: back to costing nothing. */
  #rest(): void {
    this.#counting?.();
    this.#counting = undefined;
    this.#requests.stop();
    this.#dependencies.stop();
    this.#vitals?.stop();
    this.#loop.stop();
    this.#stalls.stop();
  }

  #end(code: number): void {
    this.#crash.exit(code);
    this.#link?.close();
  }
}
