// Owns what a shell has written: the newest bytes by their position since its start, the loss of older ones counted, and the terminal's modes where the kept part begins.

const BLOCK_BYTES = 64 * 1024;
/** How far a clean beginning is looked for: a line of output is rarely longer. */
const LOOK_BYTES = 4_096;
/** The longest sequence that sets modes. */
const CARRY = 48;

/** What a screen that is drawn anew must know, by number of the private mode: cursor keys, cursor, mouse, other screen, marked paste. */
const MODES: readonly number[] = [1, 9, 25, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1047, 1049, 2004];
const CURSOR = 25;

export class Scrollback {
  readonly #maxBytes: number;
  #blocks: Buffer[] = [];
  #used = 0;                                                   // of the last block
  #begin = 0;
  #on = new Set<number>([CURSOR]);
  #carry = '';

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Position of the oldest byte that is kept: also how many are lost. */
  get begin(): number { return this.#begin; }
  /** Position after the newest. */
  get end(): number { return this.#begin + (this.#blocks.length === 0 ? 0 : (this.#blocks.length - 1) * BLOCK_BYTES + this.#used); }
  /** On the other screen, which programs draw as a whole. */
  get isDrawn(): boolean { return [47, 1047, 1049].some((mode) => this.#on.has(mode)); }

  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#blocks.length === 0 || this.#used === BLOCK_BYTES) this.#grow();
      const taken = bytes.copy(this.#blocks.at(-1) as Buffer, this.#used, at);
      this.#used += taken;
      at += taken;
    }
  }

  /** At most `max` bytes from a position that is kept; a copy. */
  read(from: number, max: number): Buffer {
    const at = from - this.#begin;
    const block = this.#blocks[Math.floor(at / BLOCK_BYTES)];
    if (block === undefined) return Buffer.alloc(0);
    const length = block === this.#blocks.at(-1) ? this.#used : BLOCK_BYTES;
    return Buffer.from(block.subarray(at % BLOCK_BYTES, Math.min(length, at % BLOCK_BYTES + max)));
  }

  /** Where a terminal can begin: after the first line end that is kept, or at least at a whole sign. */
  start(): number {
    if (this.#begin === 0) return 0;
    const head = this.read(this.#begin, LOOK_BYTES);
    const line = head.indexOf(0x0a);
    if (line >= 0) return this.#begin + line + 1;
    const sign = head.findIndex((byte) => (byte & 0xc0) !== 0x80);
    return this.#begin + Math.max(0, sign);
  }

  /** Brings a new terminal into the modes that held where the kept part begins. */
  modes(): string {
    const on = [...this.#on].filter((mode) => mode !== CURSOR).sort((a, b) => a - b).map((mode) => `\x1b[?${mode}h`).join('');
    return `${on}${this.#on.has(CURSOR) ? '' : `\x1b[?${CURSOR}l`}`;
  }

  #grow(): void {
    if (this.#blocks.length * BLOCK_BYTES >= this.#maxBytes) {
      const dropped = this.#blocks.shift() as Buffer;
      this.#begin += dropped.length;
      this.#follow(dropped);
      this.#blocks.push(dropped);                              // its memory is taken again
    } else this.#blocks.push(Buffer.allocUnsafeSlow(BLOCK_BYTES));
    this.#used = 0;
  }

  #follow(dropped: Buffer): void {
    const text = this.#carry + dropped.toString('latin1');
    for (const [whole, numbers = '', letter] of text.matchAll(/\x1b(?:c|\[\?([0-9;]{1,40})([hl]))/g)) {
      if (whole === '\x1bc') { this.#on = new Set([CURSOR]); continue; }
      for (const mode of numbers.split(';').map(Number)) {
        if (!MODES.includes(mode)) continue;
        if (letter === 'h') this.#on.add(mode); else this.#on.delete(mode);
      }
    }
    this.#carry = text.slice(-CARRY).replace(/^.*(?:c|[hl])/s, '');
  }
}
