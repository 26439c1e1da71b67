// Owns what a shell is to the rest: which ones there are here, how one is opened, and what can be done with it until it has ended.

export const SHELL_IDS = ['bash', 'sh', 'cmd', 'powershell', 'pwsh'] as const;
export type ShellId = (typeof SHELL_IDS)[number];

export interface ShellKind { readonly id: ShellId; readonly title: string; readonly path: string }

export interface ShellOrder {
  readonly shell: ShellId;
  /** An absolute folder that is there. */
  readonly cwd: string;
  readonly cols: number;
  readonly rows: number;
  /** Its whole environment; TERM is added. */
  readonly env: Readonly<Record<string, string>>;
  /** What it writes, in order, as a terminal takes it. Called until `ended` has resolved, and shortly after a pause() too. */
  output(bytes: Buffer): void;
}

export interface ShellEnd { readonly exitCode?: number; readonly signal?: string }

export interface Shell {
  readonly pid: number;
  /** pty: a terminal of the system's own. pipes: its lines are edited by us, and programs that want a terminal do not find one. */
  readonly by: 'pty' | 'pipes';
  /** Why it is pipes. */
  readonly why?: string;
  /** Keys, as a terminal sends them. Answers how many bytes found no room: who does not read must not fill our memory. */
  write(bytes: Buffer): number;
  resize(cols: number, rows: number): void;
  /** Its output waits in the system until resume(); what it runs waits then too, as behind any slow terminal. */
  pause(): void;
  resume(): void;
  /** Whether it has started something that still runs. */
  busy(): Promise<boolean>;
  readonly ended: Promise<ShellEnd>;
  /** Ends it with everything that it started: asked first, killed after a grace. Does nothing when it has ended by itself: what it left in the background is the user's. */
  end(): Promise<void>;
}

export interface Shells {
  /** Looked up when asked; empty where there is none. */
  list(): readonly ShellKind[];
  /** @throws SHELL_FAILED */
  open(order: ShellOrder): Promise<Shell>;
}

/** What is typed and not yet read. More than any paste by hand; a program that reads nothing gets no more than this. */
export const MAX_INPUT_BYTES = 2 ** 20;
