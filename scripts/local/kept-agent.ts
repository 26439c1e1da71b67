// Owns the agent as the launcher sees it: its process, the lines it prints, and its end by its standard input.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Kept } from './kept.ts';

export interface KeptAgentOptions {
  /** The program: `dist/main.js`, or another one in tests. */
  readonly file: string;
  readonly folder: string;
  readonly variables: Record<string, string>;
  say(line: string): void;
  /** A one-time link was printed: a new one each time the agent starts. */
  onOpen(link: string): void;
  onGivenUp(why: string): void;
}

/** An agent in the middle of a session has this long to mark it interrupted. */
const STOP_GRACE_MS = 10_000;
/** A line is longer than this only by mistake; the rest of it is not kept. */
const LINE_CHARS = 4_096;

/** Starts the agent at once, and again when it dies. */
export class KeptAgent {
  readonly #options: KeptAgentOptions;
  readonly #kept: Kept;
  /** Resolves with the agent's address at its first `listening` line. */
  readonly listening: Promise<string>;
  #heard: (url: string) => void = () => undefined;
  #never: (error: Error) => void = () => undefined;

  constructor(options: KeptAgentOptions) {
    this.#options = options;
    this.listening = new Promise<string>((resolve, reject) => { [this.#heard, this.#never] = [resolve, reject]; });
    this.listening.catch(() => undefined); // a launch that fails earlier no longer waits for it
    this.#kept = new Kept({
      name: 'agent',
      say: options.say,
      spawn: () => this.#spawn(),
      onGivenUp: (why) => {
        this.#never(new Error(why));
        options.onGivenUp(why);
      },
    });
  }

  get pid(): number | undefined {
    return this.#kept.child?.pid;
  }

  stop(): Promise<void> {
    return this.#kept.stop((child) => child.stdin?.end(), STOP_GRACE_MS);
  }

  kill(): void {
    this.#kept.kill();
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [this.#options.file], {
      cwd: this.#options.folder,
      env: this.#options.variables,
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'], // the pipe on stdin is never written: its end tells the agent that we are gone
    });
    child.stdin.on('error', () => undefined); // EPIPE of an agent that has died: its exit says so
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(line));
    return child;
  }

  #read(line: string): void {
    const [, word, rest = ''] = /^(listening|open) (\S+)$/.exec(line) ?? [];
    if (word === 'listening') this.#heard(rest);
    else if (word === 'open') this.#options.onOpen(rest);
    else this.#options.say(`agent: ${line.slice(0, LINE_CHARS)}`);
  }
}
