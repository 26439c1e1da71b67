// Owns the watch for the heap's limit, which the agent asks for: the chosen artifact is written into the folder before the process dies of it.
import { renameSync, writeFileSync } from 'node:fs';
import type { Session } from 'node:inspector';
import type { AppTick, AppWanted } from '../shared/app-link.ts';
import { ask, reportText } from './artifacts.ts';
import { oldLimit, oldUsed } from './heap-room.ts';

type Watched = Extract<AppWanted, { what: 'watch' }>['artifact'];
const MODE = 0o640;
const HEAP_INTERVAL_BYTES = 65_536;

export class Watch {
  readonly #stem: string;
  #artifact: Watched = 'none';
  #atShare = 1;
  #taken = false;
  #session: Session | undefined;

  constructor(stem: string) {
    this.#stem = stem;
  }

  get state(): AppTick['watch'] {
    return this.#artifact === 'none' ? undefined : { artifact: this.#artifact, atShare: this.#atShare, taken: this.#taken };
  }

  /** A heap profile is sampled from now on, as it tells what was allocated until then. */
  arm(artifact: Watched, atShare: number): void {
    this.stop();
    this.#artifact = artifact;
    this.#atShare = atShare;
    this.#taken = false;
    if (artifact !== 'heap-profile') return;
    const { Session: Inspector } = require('inspector') as typeof import('node:inspector');
    this.#session = new Inspector();
    this.#session.connect();
    ask(this.#session, 'HeapProfiler.startSampling', { samplingInterval: HEAP_INTERVAL_BYTES });
  }

  stop(): void {
    this.#artifact = 'none';
    this.#session?.disconnect();
    this.#session = undefined;
  }

  /** After each large collection, and once a second. */
  look(): void {
    if (this.#artifact === 'none' || this.#taken) return;
    if (oldUsed() < oldLimit() * this.#atShare) return;
    this.#taken = true;
    this.#take();
  }

  #take(): void {
    if (this.#artifact === 'report') this.#write('.report.json', reportText());
    else if (this.#artifact === 'heap-profile' && this.#session !== undefined) this.#write('.heapprofile', JSON.stringify((ask(this.#session, 'HeapProfiler.getSamplingProfile') as { profile: object }).profile));
    else if (this.#artifact === 'heap-snapshot') this.#snapshot();
  }

  /** At once: there may be no later. */
  #write(ending: string, text: string): void {
    writeFileSync(`${this.#stem}${ending}.tmp`, text, { mode: MODE });
    renameSync(`${this.#stem}${ending}.tmp`, `${this.#stem}${ending}`);
  }

  #snapshot(): void {
    const { writeHeapSnapshot } = require('v8') as typeof import('node:v8');
    const path = `${this.#stem}.heapsnapshot`;
    writeHeapSnapshot(`${path}.tmp`);
    renameSync(`${path}.tmp`, path);
  }
}
