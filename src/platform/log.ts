// Owns the agent's own log: JSON lines in one bounded file, where unforeseen errors keep their stacks.
import { appendFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock, type Clock } from './clock.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>;

export interface AgentLog {
  debug(text: string, facts?: LogFacts): void;
  info(text: string, facts?: LogFacts): void;
  warn(text: string, facts?: LogFacts, error?: unknown): void;
  error(text: string, facts?: LogFacts, error?: unknown): void;
  /** Resolves when everything written so far is in the file, or was counted as lost. */
  flush(): Promise<void>;
}

/** The file and its predecessor: 8 MiB together, some 40,000 lines. */
const FILE_BYTES = 4 * 1024 * 1024;
/** Lines that wait for a slow share. More are left out, counted, and the count is written as a line. */
const WAITING_LINES = 2_000;
const LINE_BYTES = 32 * 1024;
const CAUSES = 5;

const ORDER: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];

/** Opens `agent.log` in a folder that is there and that no other agent writes to. Never throws and never waits: a log that cannot be written must not stop the agent. */
export function openLog(folder: string, options: { readonly level?: LogLevel; readonly clock?: Clock; readonly fileBytes?: number } = {}): AgentLog {
  const file = new BoundedFile(join(folder, 'agent.log'), join(folder, 'agent.1.log'), options.fileBytes ?? FILE_BYTES);
  const clock = options.clock ?? systemClock;
  const shown = ORDER.indexOf(options.level ?? 'info');
  const write = (level: LogLevel) => (text: string, facts?: LogFacts, error?: unknown): void => {
    if (ORDER.indexOf(level) > shown) return;
    file.append(lineOf({ at: new Date(clock.now()).toISOString(), level, text, ...facts, ...(error === undefined ? {} : { error: stackOf(error) }) }));
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error'), flush: () => file.flush() };
}

function lineOf(entry: Readonly<Record<string, unknown>>): string {
  const line = JSON.stringify(entry);
  if (line.length <= LINE_BYTES) return `${line}\n`;
  const { at, level, text } = entry;
  return `${JSON.stringify({ at, level, text: String(text).slice(0, LINE_BYTES / 4), cut: line.length, rest: line.slice(0, LINE_BYTES / 4) })}\n`;
}

/** The stack with those of its causes. */
function stackOf(error: unknown): string {
  const parts: string[] = [];
  for (let one = error; one !== undefined && parts.length < CAUSES; one = one instanceof Error ? one.cause : undefined) {
    parts.push(one instanceof Error ? one.stack ?? `${one.name}: ${one.message}` : String(one));
  }
  return parts.join('\ncaused by ');
}

class BoundedFile {
  readonly #path: string;
  readonly #previous: string;
  readonly #bound: number;
  #waiting: string[] = [];
  #lost = 0;
  #sizeBytes: number | undefined;
  #writing: Promise<void> | undefined;

  constructor(path: string, previous: string, bound: number) {
    this.#path = path;
    this.#previous = previous;
    this.#bound = bound;
  }

  append(line: string): void {
    if (this.#waiting.length >= WAITING_LINES) { this.#lost += 1; return; }
    this.#waiting.push(line);
    this.#writing ??= this.#drain();
  }

  async flush(): Promise<void> { await this.#writing; }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      const lost = this.#lost;
      this.#waiting = [];
      this.#lost = 0;
      if (lost > 0) lines.push(`${JSON.stringify({ level: 'warn', text: `${lost} lines of this log were lost`, lost })}\n`);
      try {
        await this.#write(lines.join(''));
      } catch {
        // There is no place left to say it but the next line that can be written.
        this.#lost += lines.length + lost;
        this.#sizeBytes = undefined;
      }
    }
    this.#writing = undefined;
  }

  async #write(text: string): Promise<void> {
    this.#sizeBytes ??= await sizeOf(this.#path);
    if (this.#sizeBytes > 0 && this.#sizeBytes + text.length > this.#bound) {
      await rename(this.#path, this.#previous);
      this.#sizeBytes = 0;
    }
    await appendFile(this.#path, text);
    this.#sizeBytes += Buffer.byteLength(text);
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}
