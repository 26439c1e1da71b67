// Owns all that is counted in the process while somebody listens, and what a tick says of it.
import type { AppFailure, AppFlight, AppTick } from '../shared/app-link.ts';
import { Catching } from './catching.ts';
import { Dependencies } from './dependencies.ts';
import { Failures } from './failures.ts';
import { Follow } from './follow.ts';
import { faults, guarded, partOf } from './guarded.ts';
import type { DriverChannels } from './guards.ts';
import { Http2Requests } from './http2.ts';
import { Lookups } from './lookups.ts';
import { Loop } from './loop.ts';
import type { Places } from './places.ts';
import { Questions } from './questions.ts';
import { Reads } from './reads.ts';
import { Requests, type Answering } from './requests.ts';
import { Sockets } from './sockets.ts';
import { Stalls } from './stalls.ts';
import { StateFile } from './state.ts';
import { epoch, now } from './time.ts';
import { VitalSigns, type Vitals } from './vitals.ts';
import { Watch } from './watch.ts';
import { Watchdog } from './watchdog.ts';

/** A request that has not begun to answer for so long hangs: for a minute new ones are followed, at most once in ten, and only where few come: each costs some 5 µs then. */
const MAX_FOLLOWED_PER_SECOND = 300;
const HANGS_MS = 3_000;
const FOLLOW_MS = 60_000;
const FOLLOW_EVERY_MS = 600_000;
const STATE_EVERY_MS = 5_000;
const STATE_FLIGHTS = 5;
const SHOWN = 20;
/** Of the loop's timer: a tenth of a second. */
const PEEK_EVERY_STEPS = 5;

export interface CountingOptions {
  readonly places: Places;
  readonly drivers: DriverChannels;
  isOwn(server: object): boolean;
  onFatal(failure: AppFailure): void;
}

export class Counting {
  readonly #options: CountingOptions;
  readonly #requests = new Requests();
  readonly #http2 = new Http2Requests(this.#requests.routes);
  readonly #dependencies: Dependencies;
  readonly #sockets: Sockets;
  readonly #lookups = new Lookups();
  readonly #failures: Failures;
  readonly #watchdog: Watchdog;
  readonly #stalls: Stalls;
  readonly #loop = new Loop({ onTurn: (lateMs, steps) => { this.#turn(lateMs, steps); }, isWatched: () => this.#watchdog.isOn });
  #steps = 0;
  readonly #peek = partOf(() => { this.#sockets.peek(); }, undefined);
  readonly #reads = new Reads();
  readonly #follow = new Follow(() => this.#sockets.silent().filter(({ on }) => !this.#dependencies.isTold(on)), this.#reads);
  readonly #catching = new Catching({ route: () => this.#route(), onCaught: (caught) => { this.#failures.caught(caught); } });
  readonly #watch: Watch;
  readonly #state: StateFile;
  #vitals: VitalSigns | undefined;
  #seq = 0;
  #tickAt = 0;
  #stateAt = -Infinity;
  #gcMs = 0;
  #followedAt = -Infinity;
  #startedLately = 0;
  readonly questions = new Questions({
    follow: (forMs, withFrames) => { this.#followFor(forMs, withFrames); }, unfollow: () => { this.#unfollow(); },
    flights: (limit) => ({ inFlight: this.inFlight, flights: this.oldest(limit) }),
    catchFor: (forMs) => { this.#catchFor(forMs); }, watch: (artifact, atShare) => { this.#watch.arm(artifact, atShare); },
  });

  constructor(options: CountingOptions) {
    this.#options = options;
    this.#dependencies = new Dependencies(options.drivers);
    this.#sockets = new Sockets((server) => options.isOwn(server), this.#reads);
    this.#failures = new Failures({ route: () => this.#route(), onFatal: (failure) => { options.onFatal(failure); } });
    this.#watch = new Watch(options.places.stem);
    this.#state = new StateFile(options.places.state);
    this.#watchdog = new Watchdog(options.places.state);
    this.#stalls = new Stalls(this.#watchdog, () => { this.#stateAt = -Infinity; });
  }

  get inFlight(): number { return this.#requests.inFlight + this.#http2.inFlight; }
  get lastFailure(): AppFailure | undefined { return this.#failures.last; }

  attach(): void {
    this.#failures.attach();
    this.#requests.routes.patterns.attach();
  }

  start(): void {
    this.#vitals ??= new VitalSigns(guarded(() => { this.#watch.look(); }));
    for (const one of [this.#requests, this.#http2, this.#dependencies, this.#lookups, this.#vitals, this.#loop]) one.start();
    this.#tickAt = now();
  }

  stop(): void {
    this.#unfollow();
    for (const one of [this.#requests, this.#http2, this.#dependencies, this.#lookups, this.#vitals, this.#loop, this.#stalls, this.#catching, this.#watch, this.#state]) one?.stop();
  }

  /** At the end of the process, which is told by a note or needs none. */
  end(): void {
    this.#state.remove();
  }

  /** What ends or begins by itself; once a second. */
  look(): void {
    for (const part of this.#looks) part();
  }
  readonly #looks = [() => { this.#sockets.look(); }, () => { this.#catching.look(); }, () => { this.#watch.look(); }, () => { this.#lookAtFollowing(); }, () => { this.#stalls.look(this.#follow.isOn); }, () => { this.#lookAtState(); }].map((look) => partOf(look, undefined));

  #lookAtFollowing(): void {
    if (this.#follow.isOn) { this.#follow.look(); if (!this.#follow.isOn) this.#unfollow(); }
    else if (now() - this.#followedAt > FOLLOW_EVERY_MS && this.#startedLately <= MAX_FOLLOWED_PER_SECOND && this.#requests.hangs(HANGS_MS)) this.#followFor(FOLLOW_MS, false);
  }

  #turn(lateMs: number, steps: number): void {
    this.#stalls.turn(lateMs);
    this.#steps += steps;
    if (this.#steps < PEEK_EVERY_STEPS) return;
    this.#steps = 0;
    this.#peek();
  }

  drain(all: boolean, ofLink: readonly [string, number][]): AppTick {
    const at = now();
    const { routes, ...one } = this.#requests.drain(() => this.#http2.drain());
    this.#startedLately = one.started;
    const lookups = this.#lookups.drain();
    const [following, catching, watch, { clients }] = [this.#follow.span, this.#catching.span, this.#watch.state, this.#sockets];
    const tick: AppTick = {
      type: 'tick', seq: this.#seq, at: epoch(), forMs: at - this.#tickAt,
      ...one, routes, oldest: this.#oldest(), dependencies: this.#calls(),
      ...this.#delays(), ...this.#signs(),
      stalls: this.#stalled(), failures: this.#failures.drain(all), lost: this.#lost(ofLink),
      ...(lookups.length === 0 ? {} : { lookups }), ...(clients === undefined ? {} : { connections: clients }),
      ...(following === undefined ? {} : { following }), ...(catching === undefined ? {} : { catching }), ...(watch === undefined ? {} : { watch }), ...(this.#watchdog.isReady ? { watching: true } : {}),
    };
    this.#seq += 1;
    this.#tickAt = at;
    return tick;
  }

  readonly #oldest = partOf(() => this.oldest(SHOWN), []);
  readonly #calls = partOf(() => this.#dependencies.drain(this.#sockets.hosts, this.#lookups.connects()), []);
  readonly #delays = partOf(() => this.#loop.drain(), {});
  readonly #signs = partOf((): Vitals => this.#vitals?.drain() ?? { gc: [] }, { gc: [] });
  readonly #stalled = partOf(() => this.#stalls.drain(), []);

  oldest(limit = SHOWN): AppFlight[] {
    const http2 = this.#http2.oldest(limit);
    const flights = this.#requests.oldest(limit);
    return http2.length === 0 ? flights : [...flights, ...http2].sort((a, b) => b.ageMs - a.ageMs).slice(0, limit);
  }

  #lost(ofLink: readonly [string, number][]): [string, number][] {
    const own: [string, number][] = [[`faults of the preload${faults.last === '' ? '' : `: ${faults.last}`}`.slice(0, 80), faults.count], ['hosts of connections beyond the bound', this.#sockets.unnamed]];
    return [...own, ...this.#requests.lost(), ...this.#http2.lost(), ...this.#dependencies.lost(), ...this.#failures.lost(), ...this.#catching.lost(), ...ofLink].filter(([, count]) => count > 0);
  }

  /** Of the request at this moment; where nobody follows, of the only one in flight. */
  #route(): string | undefined {
    const current = this.#follow.current;
    return current !== undefined && 'req' in current ? this.#requests.nameOf(current as Answering) : this.#requests.only();
  }

  #followFor(forMs: number, withFrames: boolean): void {
    this.#followedAt = now();
    this.#follow.start(forMs, withFrames);
    this.#requests.follower = this.#http2.follower = this.#follow;
    this.#dependencies.hearer = this.#follow;
    this.#lookNow();                                           // from now on, what comes on the connections that are there is heard
  }
  readonly #lookNow = partOf(() => { this.#sockets.look(true); }, undefined);

  #unfollow(): void {
    this.#follow.stop();
    this.#requests.follower = this.#http2.follower = undefined;
    this.#dependencies.hearer = undefined;
  }

  #catchFor(forMs: number): void {
    if (forMs === 0) { this.#catching.stop(); return; }
    this.#catching.start(forMs);
    this.#followFor(forMs, false);                             // so that the request is known in which one is thrown
  }

  #lookAtState(): void {
    const at = now();
    if (at - this.#stateAt <= STATE_EVERY_MS) return;
    const heap = this.#vitals?.heapNow();
    if (heap === undefined) return;
    const gcMs = this.#vitals?.totalMs ?? 0;
    const gcShare = Number.isFinite(this.#stateAt) ? Math.min(1, (gcMs - this.#gcMs) / (at - this.#stateAt)) : undefined;
    const { lastFailure: failure, inFlight } = this;
    const { startedAt } = this.#options.places;
    this.#state.write({ version: 1, pid: process.pid, startedAt, at: epoch(), inFlight, oldest: this.oldest(STATE_FLIGHTS), heap: { used: heap.used, limit: heap.limit }, rss: heap.rss, ...(gcShare === undefined ? {} : { gcShare }), ...(failure === undefined ? {} : { failure }) });
    this.#stateAt = at;
    this.#gcMs = gcMs;
  }
}
