// Owns the agent as the launcher sees it: its process, the lines it prints, and its end by its standard input.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Kept, keep } from './kept.ts';

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

export interface KeptAgent {
  /** Resolves with the agent's address at its first `listening` line. */
  readonly listening: Promise<string>;
  pid(): number | undefined;
  stop(): Promise<void>;
  kill(): void;
}

/** An agent in the middle of a session has this long to mark it interrupted. */
const STOP_GRACE_MS = 5_000;
/** A line is longer than this only by mistake; the rest of it is not kept. */
const LINE_CHARS = 4_096;

export function keepAgent({ file, folder, variables, say, onOpen, onGivenUp }: KeptAgentOptions): KeptAgent {
  let heard: (url: string) => void;
  let never: (error: Error) => void;
  const listening = new Promise<string>((resolve, reject) => { [heard, never] = [resolve, reject]; });
  listening.catch(() => undefined); // a launch that fails earlier no longer waits for it

  function read(line: string): void {
    const [word, rest] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1).trim()];
    if (word === 'listening') heard(rest);
    else if (word === 'open') onOpen(rest);
    else say(`agent: ${line.slice(0, LINE_CHARS)}`);
  }

  const kept: Kept = keep({
    name: 'agent',
    say,
    onGivenUp: (why) => {
      never(new Error(why));
      onGivenUp(why);
    },
    spawn: () => {
      const child = spawn(process.execPath, [file], {
        cwd: folder,
        env: variables,
        detached: true,
        stdio: ['pipe', 'pipe', 'inherit'], // the pipe on stdin is never written: its end tells the agent that we are gone
      });
      child.stdin.on('error', () => undefined); // EPIPE of an agent that has died: its exit says so
      createInterface({ input: child.stdout }).on('line', read);
      return child;
    },
  });
  return {
    listening,
    pid: () => kept.pid(),
    stop: () => kept.stop((child) => {
      child.stdin?.end();
      child.kill('SIGTERM');
    }, STOP_GRACE_MS),
    kill: () => kept.kill(),
  };
}
