// Owns the quick look for what may be a secret in raw bytes: what it passes over, the mask would leave as it is.
import { PairSieve } from './byte-pairs.ts';
import { ByteWords } from './byte-words.ts';

// Every name that isSecretName convicts holds one of these (secret-name.ts: families, words, parts and ends), and every other form of a
// secret one of the signs below (mask.ts). test/shared/mask-scan.test.ts holds the two files to this.
const NAMES = ['key', 'pwd', 'token', 'sas', 'sig', 'cred', 'conn', 'dsn', 'jwt', 'auth', 'cookie', 'otp', 'pass', 'secret', 'azurewebjobs', 'identity_header'];
/** Suspicious wherever they stand. A NUL: text with NULs is cleaned before it is masked, and words appear that were not there. */
const SIGNS = ['eyj', 'akia', 'asia', 'ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_', 'glpat-', 'aiza', 'k_live_', 'k_test_', 'npm_', '7q~', '8q~', '-----begin', '\0'];
/** Need a second look at what stands around them. */
const BEARER = ['bearer', 'basic'];
const TOKENS = ['xoxa', 'xoxb', 'xoxp', 'xoxr', 'xoxs', 'sk-'];

// The browser and Node have it; shared/ knows the types of neither.
declare class TextEncoder { encode(text: string): Uint8Array }

/** Of a known value so much is searched for; the rest is left to the mask. */
const KNOWN_BYTES = 8;
const STORAGE_KEY_CHARS = 86;
/** The longest word; so far around what the sieve let through the words are searched for. */
const LONGEST = 16;

/** Looks for anything that may belong to a secret: forms of secrets, names that convict, and the beginnings of these values. */
export class SecretScan {
  readonly #sieve: PairSieve;
  readonly #words: ByteWords;
  /** Beginnings of known values, by their last byte. */
  readonly #starts = new Map<number, Uint8Array[]>();

  constructor(values: readonly string[] = []) {
    const encoder = new TextEncoder();
    const starts = values.filter((value) => value !== '').map((value) => encoder.encode(value).subarray(0, KNOWN_BYTES));
    const words = [...NAMES, ...SIGNS, ...BEARER, ...TOKENS, '://', '==', 'value'].map((word) => encoder.encode(word));
    this.#words = new ByteWords([...words, ...starts]);
    this.#sieve = new PairSieve([...words.map((bytes) => ({ bytes, anyCase: true })), ...starts.map((bytes) => ({ bytes, anyCase: false }))]);
    for (const start of starts) {
      const last = start[start.length - 1] as number;
      this.#starts.set(last, [...this.#starts.get(last) ?? [], start]);
    }
  }

  /** The place of the first suspicious thing in [from, to), -1 when there is none. `bytes` may go on after `to`: what follows is looked at. */
  suspect(bytes: Uint8Array, from: number, to: number): number {
    for (let at = this.#sieve.next(bytes, from, to); at !== -1; at = this.#sieve.next(bytes, at + 2, to)) {
      const end = Math.min(to, at + LONGEST);
      const begin = Math.max(from, at - LONGEST);
      for (let after = this.#words.find(bytes, begin, end); after !== -1; after = this.#words.on(bytes, after, end)) {
        if (this.#convicts(bytes, after)) return after - 1;
      }
    }
    return -1;
  }

  #convicts(bytes: Uint8Array, after: number): boolean {
    if (this.#starts.get(bytes[after - 1] as number)?.some((start) => endsWith(bytes, after, start)) === true) return true;
    // An address in the text is by far the most frequent, and the only word that ends so.
    if (bytes[after - 1] === SLASH) return hasUser(bytes, after);
    const word = latin(bytes, Math.max(0, after - 15), after);
    if (NAMES.some((name) => word.endsWith(name)) && namesSomething(bytes, after)) return true;
    if (SIGNS.some((sign) => word.endsWith(sign))) return true;
    if (BEARER.some((one) => word.endsWith(one))) { const next = bytes[after]; if (next === undefined || next === 0x20 || next === 9) return true; }
    if (TOKENS.some((one) => word.endsWith(one) && !isWord(bytes[after - one.length - 1]))) return true;
    if (word.endsWith('==') && isStorageKey(bytes, after - 2)) return true;
    return word.endsWith('value') && isValue(bytes, after);
  }
}

const SLASH = 0x2f;

function endsWith(bytes: Uint8Array, after: number, start: Uint8Array): boolean {
  for (let i = start.length - 1, at = after - 1; i >= 0; i -= 1, at -= 1) if (bytes[at] !== start[i]) return false;
  return true;
}

function latin(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let i = Math.max(0, from); i < to; i += 1) text += String.fromCharCode(bytes[i] as number);
  return text.toLowerCase();
}

const isSpace = (c: number | undefined): boolean => c === 0x20 || (c !== undefined && c >= 9 && c <= 13);
const isWord = (c: number | undefined): boolean => c !== undefined && (c === 0x5f || c === 0x2d || (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a));
const isQuote = (c: number | undefined): boolean => c === 0x22 || c === 0x27 || c === 0x60 || c === 0x5c;

/** After the name's rest, quotes and spaces stands what ties a value to it: = : %3D > or, after a quote, a comma. */
function namesSomething(bytes: Uint8Array, after: number): boolean {
  let at = after;
  while (isWord(bytes[at]) || bytes[at] === 0x2e) at += 1;
  const rest = at;
  while (isQuote(bytes[at])) at += 1;
  const quoted = at > rest;
  while (isSpace(bytes[at])) at += 1;
  const next = bytes[at];
  if (next === undefined || next === 0x3d || next === 0x3a || next === 0x3e || next === 0x25) return true;
  return quoted && (next === 0x2c || next >= 0x80);
}

/** user:password@ or token@ before the first slash or space. */
function hasUser(bytes: Uint8Array, after: number): boolean {
  for (let at = after; ; at += 1) {
    const next = bytes[at];
    if (next === undefined || next === 0x40) return true;
    if (next === 0x2f || isSpace(next)) return false;
  }
}

function isStorageKey(bytes: Uint8Array, end: number): boolean {
  let at = end;
  while (at > 0 && end - at < STORAGE_KEY_CHARS && isBase64(bytes[at - 1])) at -= 1;
  return end - at >= STORAGE_KEY_CHARS;
}

const isBase64 = (c: number | undefined): boolean => c === 0x2b || c === 0x2f || (c !== 0x2d && c !== 0x5f && isWord(c));

/** value="…" of a pair whose name stands apart: the name is left to the mask. */
function isValue(bytes: Uint8Array, after: number): boolean {
  let at = after;
  if (isQuote(bytes[at])) at += 1;
  while (isSpace(bytes[at]) || (bytes[at] ?? 0) >= 0x80) at += 1;
  const next = bytes[at];
  return next === undefined || next === 0x3d || next === 0x3a;
}
