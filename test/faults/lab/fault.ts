// Owns the words of the fault lab: what a fault is, what its traffic may do, and what comes of a run.
import type { CauseId } from '../../../src/shared/cause.ts';
import type { z } from 'zod';
import type { Rule } from '../../../src/shared/rules.ts';
import type { Limits } from '../../../scripts/local/limits.ts';

/** Minutes of log before the app was started: what a fault that sets in late has before it. */
export interface History { readonly minutes: number; readonly routes: readonly { readonly path: string; readonly takenMs: number; readonly everyMs: number }[] }

interface Case {
  /** Stands in the table and in the name of its recording. */
  readonly name: string;
  /** The cause that must come first; `healthy` is a control. */
  readonly cause: CauseId;
  /** Causes that must be found as well: the second of two faults. */
  readonly also?: readonly CauseId[];
  /** Causes that say the same of another side; first is `cause` or one of these. Each needs its reason. */
  readonly orAlso?: readonly { readonly cause: CauseId; readonly because: string }[];
  readonly about: string;
  /** Runs in `npm test`: short, and unable to flake. */
  readonly fast?: true;
  /** Debian programs without which it is skipped, loudly. */
  readonly needs?: readonly string[];
}

/** An app in Node behind the local App Service, watched by an agent. */
export interface LocalFault extends Case {
  readonly front: 'local';
  /** The folder of the app, below test/faults/; its app.cjs becomes server.js of wwwroot. */
  readonly app: string;
  /** Instead of `node server.js`; `exec` keeps the shell out of the way. */
  readonly start?: string;
  readonly env?: (lab: LabSite) => Readonly<Record<string, string>>;
  readonly limits?: Partial<Limits>;
  readonly history?: History;
  /** Before the worker starts: dependencies, a small disk. What it returns is run at the end. */
  before?(lab: LabSite): Promise<() => Promise<void> | void>;
  run(site: LabSite): Promise<void>;
  /** Time that the log carries: each row of the raw log, and what becomes of it. */
  row?(fields: Record<string, string>): void;
}

/** Programs whose logs are handed over as files: nginx, PHP, Java. */
export interface FilesFault extends Case {
  readonly front: 'files';
  /** Writes logs into `folder/logs`; everything that it starts is told to `bench`, which ends it. */
  run(bench: FilesBench): Promise<void>;
}

export type Fault = LocalFault | FilesFault;

export interface Asked { readonly method?: string; readonly body?: string; readonly headers?: Readonly<Record<string, string>>; readonly giveUpMs?: number; readonly fresh?: true }

/** What the traffic of a fault may do with the site. */
export interface LabSite {
  readonly url: string;
  readonly home: string;
  readonly folder: string;
  /** The status, or 0 where the connection broke or was given up. */
  get(path: string, asked?: Asked): Promise<number>;
  /** Requests at even pauses, whether answered or not; resolves when the last is over. */
  load(plan: { readonly paths: readonly string[]; readonly everyMs: number; readonly forMs: number } & Asked): Promise<void>;
  /** The same, going on until the report is there: what can be seen only while it happens. */
  onwards(plan: { readonly paths: readonly string[]; readonly everyMs: number } & Asked): void;
  pid(): number | undefined;
  /** Until the worker that is up is another one than `old`, and answers. */
  replaced(old: number | undefined): Promise<number>;
  /** Touches web.config, as a user does. */
  recycle(): Promise<void>;
  /** A rule of the agent's own, in force from the next look on. */
  rule(rule: z.input<typeof Rule>): Promise<void>;
  /** A deployment on record and other files in wwwroot; the platform starts the app anew. */
  deploy(files: Readonly<Record<string, string>>, message: string): Promise<void>;
  /** Rows in the HTTP log of this status. */
  rows(signature: string): Promise<number>;
  value(name: string): string;
  set(name: string, value: string): void;
}

export interface FilesBench {
  readonly folder: string;
  readonly logs: string;
  /** A program, ended with the bench; its output goes into the file. */
  spawn(program: string, args: readonly string[], options?: { readonly env?: Readonly<Record<string, string>>; readonly out?: string; readonly cwd?: string }): Spawned;
  get(url: string, asked?: Asked): Promise<number>;
  load(url: string, plan: { readonly paths: readonly string[]; readonly everyMs: number; readonly forMs: number } & Asked): Promise<void>;
}
export interface Spawned { readonly pid: number; readonly ended: Promise<number | string | null>; output(): string }
