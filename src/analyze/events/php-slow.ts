// Owns the entries of PHP's slow log, which span lines that a log reader takes for several: a head with time and pool, the script, and its stack.
const HEAD = /^\[\d\d-\w{3}-\d{4} [\d:]{8}[^\]]{0,12}\]\s+\[pool [^\]]{1,60}\] pid \d+\s*$/;
const PART = /^(?:script_filename = |\[0x[0-9a-f]+\] )/;
const MAX_LINES = 40;

export interface SlowScript { readonly at: number | undefined; readonly where: string; readonly text: string }

export class SlowLog {
  #open: { at: number | undefined; where: string; lines: string[] } | undefined;
  readonly #take: (script: SlowScript) => void;
  constructor(take: (script: SlowScript) => void) { this.#take = take; }

  /** True when the line is of a slow log and needs no other reader. */
  push(text: string, at: number | undefined, where: string): boolean {
    if (HEAD.test(text)) {
      this.flush();
      this.#open = { at, where, lines: [text] };
      return true;
    }
    if (!this.#open || !PART.test(text)) return false;
    if (this.#open.lines.length < MAX_LINES) this.#open.lines.push(text);
    return true;
  }

  flush(): void {
    const done = this.#open;
    this.#open = undefined;
    if (done && done.lines.length > 1) this.#take({ at: done.at, where: done.where, text: done.lines.join('\n') });
  }
}

/** The innermost function of a script's stack. */
export function standsIn(text: string): string | undefined {
  return /\[0x[0-9a-f]+\] ([\w\\:>-]{1,120})\(/.exec(text)?.[1];
}
