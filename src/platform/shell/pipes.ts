// Owns a shell on pipes: a program that sees no terminal, its lines edited by us, its output led around the line that is being typed.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { DiagError } from '../../shared/errors.ts';
import { systemClock } from '../clock.ts';
import type { Population } from '../end.ts';
import { expect, noEcho, strip } from './echo.ts';
import { familyOf, type Family } from './family.ts';
import { draw, erase, newLine, type } from './line-editor.ts';
import { MAX_INPUT_BYTES, type Shell, type ShellEnd, type ShellOrder } from './shell.ts';
import { widthOfOutput } from './width.ts';

export interface PipeOrder extends ShellOrder { readonly program: string; readonly args: readonly string[]; readonly windows: boolean; readonly why: string; readonly nameOf?: ((pid: number) => string | undefined) | undefined }

/** Something that it started may hold the pipes open after its end: we wait no longer for that one's words. */
const LAST_WORDS_MS = 500;
/** Of the line that the shell has begun: enough for a prompt. */
const MAX_BEGUN = 2_048;

/** @throws SHELL_FAILED */
export async function openPipes(order: PipeOrder, population: Population): Promise<Shell> {
  // A group and session of its own, so that all of it can be found and ended.
  const child = spawn(order.program, [...order.args], { cwd: order.cwd, env: { ...order.env, TERM: 'xterm-256color' }, detached: !order.windows, shell: false, windowsHide: true, stdio: ['pipe', 'pipe', 'pipe'] });
  await new Promise<void>((done, failed) => {
    child.once('spawn', done);
    child.once('error', (error) => { failed(new DiagError('SHELL_FAILED', { shell: order.shell, why: error.message }, { cause: error })); });
  });
  const pid = child.pid as number;
  const family = familyOf(population, pid, order.nameOf);
  const talk = new Talk(child, order, family);
  const ended = endOf(child);
  return {
    pid, by: 'pipes', why: order.why, ended,
    write: (bytes) => talk.keys(bytes),
    resize: (cols) => { talk.resize(cols); },
    pause: () => { child.stdout.pause(); child.stderr.pause(); },
    resume: () => { child.stdout.resume(); child.stderr.resume(); },
    busy: async () => (await family.members()).length > 0,
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      await family.end();
      await ended;
    },
  };
}

async function endOf(child: ChildProcessWithoutNullStreams): Promise<ShellEnd> {
  const closed = new Promise<void>((done) => { child.once('close', () => { done(); }); });
  const [exitCode, signal] = await new Promise<[number | null, string | null]>((done) => { child.once('exit', (code, by) => { done([code, by]); }); });
  child.stdout.resume();
  child.stderr.resume();
  const over = new AbortController();
  await Promise.race([closed, systemClock.wait(LAST_WORDS_MS, over.signal)]);
  over.abort();
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  return exitCode === null ? { signal: signal ?? 'unknown' } : { exitCode };
}

/** The two directions and what binds them: the line that is typed stands after what the shell has written last. */
class Talk {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #order: PipeOrder;
  readonly #family: Family;
  readonly #decoder = new StringDecoder('utf8');
  #line;
  #echo = noEcho;
  #begun = '';
  #lostBytes = 0;

  constructor(child: ChildProcessWithoutNullStreams, order: PipeOrder, family: Family) {
    this.#child = child;
    this.#order = order;
    this.#family = family;
    this.#line = newLine(order.cols);
    for (const stream of [child.stdout, child.stderr]) {
      const decoder = new StringDecoder('utf8');
      stream.on('data', (bytes: Buffer) => { this.#heard(decoder.write(bytes)); });
    }
    child.stdin.on('error', () => { /* it has ended, or closed its input: its exit tells */ });
  }

  /** Answers how many bytes found no room. */
  keys(bytes: Buffer): number {
    this.#lostBytes = 0;
    const { line, effects } = type(this.#line, this.#decoder.write(bytes));
    this.#line = line;
    for (const effect of effects) {
      if ('show' in effect) this.#show(effect.show);
      else if ('send' in effect) this.#send(effect.send);
      else if (effect.do === 'end') this.#child.stdin.end();
      else void this.#interrupt();
    }
    return this.#lostBytes;
  }

  resize(cols: number): void {
    this.#line = { ...this.#line, cols, from: this.#line.from % cols };
  }

  #show(text: string): void { this.#order.output(Buffer.from(text)); }

  #send(text: string): void {
    const line = `${text}${this.#order.windows ? '\r\n' : '\n'}`;
    if (this.#child.stdin.writableLength + line.length > MAX_INPUT_BYTES || !this.#child.stdin.writable) { this.#lostBytes += Buffer.byteLength(line); return; }
    this.#begun = '';
    if (this.#order.windows) this.#echo = expect(this.#echo, text);
    this.#child.stdin.write(line);
  }

  /** What runs in the foreground is ended: by the signal of Ctrl+C, which what was sent to the background ignores; on Windows, which has no such signal for it, everything below the shell. */
  async #interrupt(): Promise<void> {
    const members = await this.#family.members();
    if (members.length === 0) { this.#send(''); return; }      // nothing runs: a new prompt is what a terminal would show
    for (const pid of members.reverse()) {
      try {
        process.kill(pid, this.#order.windows ? 'SIGKILL' : 'SIGINT');
      } catch {
        // It has ended since; or it belongs to somebody else, as behind sudo: then it stays, as the shell shows.
      }
    }
  }

  #heard(text: string): void {
    if (text === '') return;
    const { echo, output } = strip(this.#echo, text);
    this.#echo = echo;
    if (output === '') return;
    const before = erase(this.#line);
    this.#begun = (output.includes('\n') ? output.slice(output.lastIndexOf('\n') + 1) : this.#begun + output).slice(-MAX_BEGUN);
    this.#line = { ...this.#line, from: widthOfOutput(this.#begun) % this.#line.cols };
    // A terminal moves down only by a line feed; the system would put the return before it.
    this.#show(`${before}${output.replace(/\r?\n/g, '\r\n')}${draw(this.#line)}`);
  }
}
