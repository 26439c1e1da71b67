// Owns a shell on a pseudo-terminal: node-pty starts it and reads it; its input goes our own way.
import type { IPty } from '@lydell/node-pty';
import { systemClock } from '../clock.ts';
import { familyOf, foregroundGroup } from './family.ts';
import { TerminalInput } from './input.ts';
import type { Population } from '../end.ts';
import type { Shell, ShellEnd, ShellOrder } from './shell.ts';

type NodePty = typeof import('@lydell/node-pty');
/** What its terminal on Unix has besides: the master's descriptor, and the stream that owns it. */
interface Inner extends IPty { readonly fd: number; readonly _socket: { readonly destroyed: boolean } }

/** node-pty throws away what it has not read 200 ms after the shell's end: while we hold the output back, this often we look whether it has ended. */
const LOOK_MS = 50;
const INTERRUPT = 0x03;

/** Loaded at the first shell only. @throws what the loader says where there is no native part for this system */
export async function loadPty(): Promise<NodePty> {
  const loaded = await import('@lydell/node-pty') as NodePty & { readonly default?: NodePty };
  return loaded.default ?? loaded;
}

/** @throws what the system says */
export function openPty(node: NodePty, program: string, order: ShellOrder, population: Population): Shell {
  const pty = node.spawn(program, [], { name: 'xterm-256color', cols: order.cols, rows: order.rows, cwd: order.cwd, env: { ...order.env, COLORTERM: 'truecolor' }, encoding: null }) as Inner;
  const over = new AbortController();
  const ended = new Promise<ShellEnd>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      over.abort();
      resolve(signal === undefined || signal === 0 ? { exitCode } : { signal: String(signal) });
    });
  });
  pty.onData((bytes) => { order.output(bytes as unknown as Buffer); });   // encoding null: bytes, which its types do not know
  const input = new TerminalInput(pty.fd, () => over.signal.aborted || pty._socket.destroyed, over.signal);
  const family = familyOf(population, pty.pid);
  const output = new Paused(pty, over.signal);
  return {
    pid: pty.pid, by: 'pty', ended,
    write: (bytes) => writeKeys(input, pty.pid, bytes),
    resize: (cols, rows) => { if (!over.signal.aborted && !pty._socket.destroyed) pty.resize(cols, rows); },
    pause: () => { output.pause(); },
    resume: () => { output.resume(); },
    busy: async () => (await family.members()).length > 0,
    async end() {
      if (over.signal.aborted) return;
      output.resume();
      await family.end();
      await ended;
    },
  };
}

/** Ctrl+C behind a paste that nobody reads would never arrive: the paste is dropped, and the foreground is told directly. */
function writeKeys(input: TerminalInput, shell: number, bytes: Buffer): number {
  const isStuck = input.waitingBytes > 0 && bytes.length === 1 && bytes[0] === INTERRUPT;
  if (!isStuck) return input.write(bytes);
  const lost = input.waitingBytes;
  input.clear();
  const group = foregroundGroup(shell);
  try {
    if (group !== undefined) process.kill(-group, 'SIGINT');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
  return lost;
}

/** Holds the output back, but never past the shell's end: what is left in the terminal then is a few KB. */
class Paused {
  readonly #pty: IPty;
  readonly #over: AbortSignal;
  #pause: AbortController | undefined;

  constructor(pty: IPty, over: AbortSignal) {
    this.#pty = pty;
    this.#over = over;
  }

  pause(): void {
    if (this.#pause !== undefined || this.#over.aborted) return;
    this.#pause = new AbortController();
    this.#pty.pause();
    void this.#watch(this.#pause.signal);
  }

  resume(): void {
    this.#pause?.abort();
    this.#pause = undefined;
    if (!this.#over.aborted) this.#pty.resume();
  }

  async #watch(pause: AbortSignal): Promise<void> {
    for await (const _ of systemClock.every(LOOK_MS, AbortSignal.any([pause, this.#over]))) {
      void _;
      if (!lives(this.#pty.pid)) { this.resume(); return; }
    }
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;                                              // it is a child of ours: no other refusal is possible
  }
}
