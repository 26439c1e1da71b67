// Owns one open shell: its output kept and led to the one page that looks at it, at that page's pace, and its end with the reason.
import type { ShellToPage, ShellView } from '../../shared/shells.ts';
import type { Shell, ShellEnd } from '../../platform/shell/shell.ts';
import type { Clock } from '../../platform/clock.ts';
import { Scrollback } from './scrollback.ts';

/** Kept for who comes back. */
export const SCROLLBACK_BYTES = 2 ** 20;
/** Output on its way that the page has not drawn yet; beyond it the shell waits. */
export const WINDOW_BYTES = 256 * 1024;
const RESUME_BYTES = WINDOW_BYTES / 4;
const PIECE_BYTES = 32 * 1024;
/** A terminal gives 4 KB at a time: in a flood they go out together. What comes after a rest goes at once. */
const GATHER_MS = 4;
/** A page that draws nothing for this long (asleep, hidden) holds its shell up no longer; what it misses is counted. */
export const STALLED_MS = 15_000;

const NEVER = new AbortController().signal;

/** The page's end of a shell. */
export interface Viewer {
  readonly who: string;
  output(bytes: Buffer): void;
  tell(message: ShellToPage): void;
  /** Another page looks at it now. */
  taken(who: string): void;
}

/** What a page can do as long as it is the one that looks. */
export interface Attached {
  keys(bytes: Buffer): void;
  size(cols: number, rows: number): void;
  seen(bytes: number): void;
  leave(): void;
}

interface Look { readonly viewer: Viewer; first: number; sent: number; seen: number; heardAt: number; isStalled: boolean }

export interface SessionFacts { readonly id: string; readonly title: string; readonly shell: ShellView['shell']; readonly openedBy: string; readonly cols: number; readonly rows: number }

export class ShellSession {
  readonly id: string;
  readonly openedBy: string;
  readonly openedAt: number;
  title: string;
  usedAt: number;
  /** Set before the shell is ended by us; else it ended by itself. */
  because: string | undefined;
  /** Resolves after the end, when `view` tells it. */
  readonly over: Promise<void>;
  readonly #shell: Shell;
  readonly #facts: SessionFacts;
  readonly #clock: Clock;
  readonly #kept = new Scrollback(SCROLLBACK_BYTES);
  #size: { cols: number; rows: number };
  #look: Look | undefined;
  #isPaused = false;
  #gathers = false;
  #pumpedAt = 0;
  #ended: ShellView['ended'];

  /** `open` gets where the output goes. @throws what `open` throws */
  static async open(facts: SessionFacts, clock: Clock, open: (output: (bytes: Buffer) => void) => Promise<Shell>): Promise<ShellSession> {
    const early: Buffer[] = [];
    let hear = (bytes: Buffer): void => { early.push(bytes); };
    const session = new ShellSession(facts, clock, await open((bytes) => { hear(bytes); }));
    hear = (bytes) => { session.#heard(bytes); };
    for (const bytes of early) session.#heard(bytes);
    return session;
  }

  private constructor(facts: SessionFacts, clock: Clock, shell: Shell) {
    this.#facts = facts;
    this.#clock = clock;
    this.#shell = shell;
    this.#size = { cols: facts.cols, rows: facts.rows };
    this.id = facts.id;
    this.title = facts.title;
    this.openedBy = facts.openedBy;
    this.openedAt = clock.now();
    this.usedAt = this.openedAt;
    this.over = shell.ended.then((end) => { this.#endedBy(end); });
  }

  get isOver(): boolean { return this.#ended !== undefined; }
  get isWatched(): boolean { return this.#look !== undefined; }
  get pid(): number { return this.#shell.pid; }

  view(busy?: boolean): ShellView {
    const { id, title, openedBy, openedAt, usedAt } = this;
    return { id, title, shell: this.#facts.shell, by: this.#shell.by, openedBy, openedAt, usedAt, watched: this.isWatched, lostBytes: this.#kept.begin, ...(this.#shell.why === undefined ? {} : { why: this.#shell.why }), ...(busy === undefined || this.isOver ? {} : { busy }), ...(this.#ended === undefined ? {} : { ended: this.#ended }) };
  }

  /** undefined: over, or nobody can tell. */
  async busy(): Promise<boolean | undefined> {
    if (this.isOver) return undefined;
    try {
      return await this.#shell.busy();
    } catch {
      return undefined;                                        // the processes cannot be listed now: who decides counts it as busy
    }
  }

  rename(title: string): void {
    this.title = title;
    this.#tell();
  }

  /** One page at a time: the terminal has one size, and its answers must come once. The page before is told. */
  attach(viewer: Viewer): Attached {
    this.#look?.viewer.taken(viewer.who);
    this.usedAt = this.#clock.now();
    const start = this.#kept.start();
    const modes = Buffer.from(this.#kept.modes());
    const look: Look = { viewer, first: start - modes.length, sent: start, seen: start - modes.length, heardAt: this.#clock.monotonic(), isStalled: false };
    this.#look = look;
    viewer.tell({ type: 'hello', shell: this.view(), replayBytes: this.#kept.end - start + modes.length, lostBytes: start });
    if (modes.length > 0) viewer.output(modes);
    // What is drawn as a whole, and whose beginning is lost, is drawn again when the size changes.
    if (this.#kept.isDrawn) this.#redraw();
    this.#pump();
    const isMine = (): boolean => this.#look === look;
    return {
      keys: (bytes) => { if (isMine()) this.#keys(bytes); },
      size: (cols, rows) => { if (isMine()) this.#resize(cols, rows); },
      seen: (bytes) => { if (isMine()) this.#seen(look, bytes); },
      leave: () => { if (isMine()) { this.#look = undefined; this.#pace(); } },
    };
  }

  /** A page that is stuck must not stop what runs here. */
  check(): void {
    const look = this.#look;
    if (look === undefined || !this.#isPaused || this.#clock.monotonic() - look.heardAt < STALLED_MS) return;
    look.isStalled = true;
    this.#pace();
  }

  /** @throws what the system says when something of it does not end */
  async end(because: string): Promise<void> {
    if (this.isOver) return;
    this.because ??= because;
    await this.#shell.end();
    await this.over;
  }

  #heard(bytes: Buffer): void {
    this.#kept.add(bytes);
    const look = this.#look;
    if (look === undefined || this.#kept.end - look.sent >= PIECE_BYTES || this.#clock.monotonic() - this.#pumpedAt >= GATHER_MS) { this.#pump(); return; }
    if (this.#gathers) return;
    this.#gathers = true;
    void this.#clock.wait(GATHER_MS, NEVER).then(() => { this.#gathers = false; this.#pump(); });
  }

  #keys(bytes: Buffer): void {
    this.usedAt = this.#clock.now();
    if (this.isOver) return;
    const unread = this.#shell.write(bytes);
    if (unread > 0) this.#look?.viewer.tell({ type: 'unread', bytes: unread });
  }

  #resize(cols: number, rows: number): void {
    if (this.isOver || (cols === this.#size.cols && rows === this.#size.rows)) return;
    this.#size = { cols, rows };
    this.#shell.resize(cols, rows);
  }

  #redraw(): void {
    if (this.isOver) return;
    const { cols, rows } = this.#size;
    this.#shell.resize(cols, rows > 1 ? rows - 1 : rows + 1);
    this.#shell.resize(cols, rows);
  }

  #seen(look: Look, bytes: number): void {
    look.seen = Math.max(look.seen, Math.min(look.first + bytes, look.sent));
    look.heardAt = this.#clock.monotonic();
    look.isStalled = false;
    this.#pump();
  }

  /** Sends what the page has room for, then lets the shell go on or wait. */
  #pump(): void {
    const look = this.#look;
    this.#pumpedAt = this.#clock.monotonic();
    if (look === undefined) return;
    if (look.sent < this.#kept.begin) this.#skip(look);
    while (look.sent < this.#kept.end && look.sent - look.seen < WINDOW_BYTES) {
      const piece = this.#kept.read(look.sent, PIECE_BYTES);
      look.sent += piece.length;
      look.viewer.output(piece);
    }
    this.#pace();
  }

  #skip(look: Look): void {
    const bytes = this.#kept.begin - look.sent;
    look.viewer.tell({ type: 'lost', bytes });
    look.first += bytes;
    look.sent += bytes;
    look.seen += bytes;
  }

  #pace(): void {
    const look = this.#look;
    const ahead = look === undefined || look.isStalled ? 0 : this.#kept.end - look.seen;
    if (!this.#isPaused && ahead > WINDOW_BYTES) {
      this.#isPaused = true;
      this.#shell.pause();
    } else if (this.#isPaused && ahead <= RESUME_BYTES) {
      this.#isPaused = false;
      this.#shell.resume();
    }
  }

  #endedBy({ exitCode, signal }: ShellEnd): void {
    this.#pump();                                              // the last words before the word of the end
    const how = exitCode === undefined ? `signal ${signal ?? 'unknown'}` : `exit code ${exitCode}`;
    this.#ended = { at: this.#clock.now(), ...(exitCode === undefined ? {} : { exitCode }), ...(signal === undefined ? {} : { signal }), because: this.because ?? `It ended by itself with ${how}.` };
    this.#tell();
  }

  #tell(): void { this.#look?.viewer.tell({ type: 'shell', shell: this.view() }); }
}
