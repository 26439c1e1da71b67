// Owns instants that a log writes in pieces, as Apache's %{format}t does: a bounded reading of what strftime wrote.
import { BAD, DASH, ZERO, digits, epochMs } from './numbers.ts';
import { clockMs, dayAt, monthOf, zoneMs } from './times.ts';

/** One directive, or a literal byte that must stand there. */
type Step = number | 'Y' | 'm' | 'd' | 'e' | 'b' | 'H' | 'I' | 'p' | 'M' | 'S' | 'y' | 'z' | 's' | 'j' | 'word';
export interface TimePiece { readonly steps: readonly Step[] | 'sec' | 'msec' | 'usec' | 'msec_frac' | 'usec_frac' }

const WHOLE: Readonly<Record<string, string>> = { T: '%H:%M:%S', R: '%H:%M', F: '%Y-%m-%d', D: '%m/%d/%y', c: '%a %b %e %H:%M:%S %Y', r: '%I:%M:%S %p', x: '%m/%d/%y', X: '%H:%M:%S' };
const PLAIN = 'YmdebHIpMSyzsj';
const EPOCHS = ['sec', 'msec', 'usec', 'msec_frac', 'usec_frac'] as const;

/** What stands between the braces of %{…}t, as the words it writes (blanks part them); undefined when a directive is not known. */
export function timePieces(given: string): readonly TimePiece[] | undefined {
  const format = given.replace(/^(?:begin|end):/, '');
  const epoch = EPOCHS.find((name) => name === format);
  if (epoch !== undefined) return [{ steps: epoch }];
  const words = format.replace(/%([TRFDcrxX])/g, (_, letter: string) => WHOLE[letter] ?? '').split(/ +/).filter((word) => word !== '').map(stepsOf);
  const known = words.filter((steps) => steps !== undefined);
  return known.length === words.length && known.length > 0 ? known.map((steps) => ({ steps })) : undefined;
}

function stepsOf(word: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  for (let i = 0; i < word.length; i += 1) {
    const letter = word[i] as string;
    if (letter !== '%') { steps.push(...Buffer.from(letter)); continue; }
    i += 1;
    const directive = word[i] ?? '';
    if (directive === '%') steps.push(37);
    else if (directive === 'h' || directive === 'B') steps.push('b');
    else if (directive !== '' && 'aAZ'.includes(directive)) steps.push('word');
    else if (directive === 'k') steps.push('H');
    else if (directive !== '' && PLAIN.includes(directive)) steps.push(directive as Step);
    else return undefined;
  }
  return steps;
}

/** Puts the pieces of one row together. What no piece says of a time is its beginning: a row needs at least a day or an epoch. */
export class StrftimeClock {
  #year = 0; #month = 0; #day = 0; #dayOfYear = 0; #hours = 0; #minutes = 0; #seconds = 0; #afternoon = -1; #fractionMs = 0; #zone = 0; #epoch = -1;
  #place = 0;

  begin(): void {
    this.#year = BAD; this.#month = 1; this.#day = 1; this.#dayOfYear = 0; this.#hours = 0; this.#minutes = 0; this.#seconds = 0; this.#afternoon = -1; this.#fractionMs = 0; this.#zone = 0; this.#epoch = -1;
  }

  /** Epoch ms, BAD when the pieces make none. */
  at(): number {
    if (this.#epoch >= 0) return this.#epoch + this.#fractionMs;
    const hours = this.#afternoon < 0 ? this.#hours : this.#hours > 12 || this.#hours < 1 ? BAD : this.#hours % 12 + this.#afternoon * 12;
    const day = dayAt(this.#year, this.#month, this.#day), clock = clockMs(hours, this.#minutes, this.#seconds);
    return day < 0 || clock < 0 ? BAD : day + Math.max(0, this.#dayOfYear - 1) * 86_400_000 + clock + this.#fractionMs - this.#zone;
  }

  /** False when the bytes are not what the piece's format writes. */
  take(piece: TimePiece, bytes: Uint8Array, from: number, to: number): boolean {
    const { steps } = piece;
    if (typeof steps === 'string') return this.#number(steps, bytes, from, to);
    this.#place = from;
    for (const step of steps) if (!(typeof step === 'number' ? bytes[this.#place] === step && (this.#place += 1) <= to : this.#step(step, bytes, to))) return false;
    return this.#place === to;
  }

  #number(kind: (typeof EPOCHS)[number], bytes: Uint8Array, from: number, to: number): boolean {
    const value = epochMs(bytes, from, to, kind === 'sec' ? 0.001 : kind === 'msec' || kind === 'msec_frac' ? 1 : 1_000);
    if (value < 0) return false;
    if (kind === 'msec_frac' || kind === 'usec_frac') { this.#fractionMs = value; return value < 1_000; }
    this.#epoch = value;
    return true;
  }

  #step(step: Exclude<Step, number>, bytes: Uint8Array, to: number): boolean {
    switch (step) {
      case 'Y': return (this.#year = this.#digits(bytes, 4, to)) >= 0;
      case 'y': { const year = this.#digits(bytes, 2, to); this.#year = year < 69 ? 2_000 + year : 1_900 + year; return year >= 0; }
      case 'm': return (this.#month = this.#digits(bytes, 2, to)) >= 0;
      case 'd': return (this.#day = this.#digits(bytes, 2, to)) >= 0;
      case 'e': if (bytes[this.#place] === 32) { this.#place += 1; return (this.#day = this.#digits(bytes, 1, to)) >= 0; } return (this.#day = this.#digits(bytes, 2, to)) >= 0;
      case 'H': case 'I': return (this.#hours = this.#digits(bytes, 2, to)) >= 0;
      case 'M': return (this.#minutes = this.#digits(bytes, 2, to)) >= 0;
      case 'S': return (this.#seconds = this.#digits(bytes, 2, to)) >= 0;
      case 'j': return (this.#dayOfYear = this.#digits(bytes, 3, to)) >= 1 && this.#dayOfYear <= 366;
      case 'b': { const from = this.#place; const month = this.#word(bytes, to) >= 3 ? monthOf(bytes, from) : BAD; this.#month = month; return month > 0; }
      case 'p': { const first = (bytes[this.#place] as number) | 32; this.#afternoon = first === 112 ? 1 : 0; return this.#word(bytes, to) === 2 && (first === 97 || first === 112); }
      case 's': { const from = this.#place; this.#epoch = epochMs(bytes, from, from + this.#span(bytes, to, isDigit), 0.001); return this.#epoch >= 0; }
      case 'z': { const from = this.#place; const zone = zoneMs(bytes, from, from + this.#span(bytes, Math.min(to, from + 6), isZone)); this.#zone = zone; return zone > -1e8; }
      case 'word': return this.#word(bytes, to) > 0;
    }
  }

  #digits(bytes: Uint8Array, size: number, to: number): number {
    if (this.#place + size > to) return BAD;
    const value = digits(bytes, this.#place, size);
    this.#place += size;
    return value;
  }

  #word(bytes: Uint8Array, to: number): number { return this.#span(bytes, to, isLetter); }

  #span(bytes: Uint8Array, to: number, belongs: (byte: number) => boolean): number {
    const from = this.#place;
    while (this.#place < to && belongs(bytes[this.#place] as number)) this.#place += 1;
    return this.#place - from;
  }
}

function isDigit(byte: number): boolean { return byte >= ZERO && byte <= ZERO + 9; }
function isLetter(byte: number): boolean { return (byte | 32) >= 97 && (byte | 32) <= 122; }
function isZone(byte: number): boolean { return isDigit(byte) || byte === 43 || byte === DASH || byte === 58 || byte === 90; }
