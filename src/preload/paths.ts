// Owns the names of paths: numbers, dates, GUIDs, hashes and long tokens become {id}; and the same as a number, without making a text for each request.

const MAX_PATH = 300;
const DIGIT = /\d/;
const ID = /^(?:[+-]?[\d.,:-]+(?:T[\d:.]+Z?)?|(?:0x)?[0-9a-f]{12,}|\{?[0-9a-f-]{36}\}?|[A-Za-z0-9_\-+=~.]{24,})$/i;
const TAILED = /^([a-z]{1,20}[-_])(?:\d+|[0-9a-f]{12,})$/i;

/** The agent folds once more, as it does the paths of the HTTP log. */
export function fold(path: string): string {
  if (!DIGIT.test(path)) return path.length > MAX_PATH ? path.slice(0, MAX_PATH) : path;
  return path.slice(0, 2 * MAX_PATH).split('/').map(foldPart).join('/').slice(0, MAX_PATH);
}

function foldPart(part: string): string {
  if (!DIGIT.test(part)) return part;
  return ID.test(part) ? '{id}' : part.replace(TAILED, '$1{id}');
}

/** Without the query: it is of one request, and may hold secrets. */
export function withoutQuery(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

// What a letter may be part of.
const NUMBER = 1, IN_NUMBER = 2, HEX = 4, IN_GUID = 8, IN_TOKEN = 16, RARE = 32, IN_TIME = 64, X = 128;
const KINDS = new Uint8Array(128);
for (let code = 0; code < 128; code += 1) {
  const letter = String.fromCharCode(code);
  KINDS[code] = (/\d/.test(letter) ? NUMBER : 0) | (/[\d.,:-]/.test(letter) ? IN_NUMBER : 0) | (/[\da-f]/i.test(letter) ? HEX : 0)
    | (/[\da-f-]/i.test(letter) ? IN_GUID : 0) | (/[\w\-+=~.]/.test(letter) ? IN_TOKEN : 0) | (/[-_+{]/.test(letter) ? RARE : 0) | (/[\d.:TZ-]/i.test(letter) ? IN_TIME : 0) | (/x/i.test(letter) ? X : 0);
}
/** The first letter of {id}, which stands for all of it. */
const ID_MARK = 0x7b;
const HEX_LETTERS = 12, GUID_LETTERS = 36, TOKEN_LETTERS = 24;
const SLASH = 47, QUESTION = 63, ZERO = 48, SMALL_A = 97;
const PRIME = 0x01000193, OTHER_PRIME = 0x85ebca6b;

/** Two numbers that stand for a method and a folded path: alike for all ids, and practically never for two routes. */
export const hashed = { one: 0, two: 0 };
/** Requests of one method mostly come after one another. */
const lastMethod = { text: '', hash: 0 };

function hashMethod(method: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < method.length; i++) hash = Math.imul(hash ^ method.charCodeAt(i), PRIME);
  lastMethod.text = method;
  lastMethod.hash = hash;
  return hash;
}

/** Fills `hashed`: of equal folded paths it is equal. One walk over the letters, which is most of what a request costs: parts of small letters and of digits have loops of their own, texts are made only for the rare parts that need the patterns. */
export function hashPath(method: string, url: string): void {
  let one = method === lastMethod.text ? lastMethod.hash : hashMethod(method), two = 0x9e3779b9;
  const length = url.length < 2 * MAX_PATH ? url.length : 2 * MAX_PATH;
  let from = 0, code = QUESTION;
  for (;;) {
    let i = from, part = one, other = two;
    while (i < length && (code = url.charCodeAt(i)) - SMALL_A >>> 0 < 26) { part = Math.imul(part ^ code, PRIME); other = Math.imul(other ^ code, OTHER_PRIME); i++; }
    if (i === from) while (i < length && (code = url.charCodeAt(i)) - ZERO >>> 0 < 10) i++;
    if (i === length) code = QUESTION;
    if (code !== SLASH && code !== QUESTION) {
      i = hashPart(url, from, length, one, two);
      one = hashed.one;
      two = hashed.two;
      code = i < length ? url.charCodeAt(i) : QUESTION;
    } else if (i === from || url.charCodeAt(from) >= SMALL_A) { one = part; two = other; }
    else { one = Math.imul(one ^ ID_MARK, PRIME); two = Math.imul(two ^ ID_MARK, OTHER_PRIME); }
    if (code === QUESTION) break;
    one = Math.imul(one ^ SLASH, PRIME);
    two = Math.imul(two ^ SLASH, OTHER_PRIME);
    from = i + 1;
  }
  hashed.one = one;
  hashed.two = two;
}

/** A part with letters of other kinds, into `hashed`; where it ends. */
function hashPart(url: string, from: number, length: number, one: number, two: number): number {
  let i = from, part = one, other = two, all = 0xff, any = 0;
  for (; i < length; i++) {
    const code = url.charCodeAt(i);
    if (code === SLASH || code === QUESTION) break;
    const kinds = code < 128 ? KINDS[code] as number : 0;
    all &= kinds;
    any |= kinds;
    part = Math.imul(part ^ code, PRIME);
    other = Math.imul(other ^ code, OTHER_PRIME);
  }
  if ((any & NUMBER) === 0) { hashed.one = part; hashed.two = other; }
  else if (isId(all, i - from)) { hashed.one = Math.imul(one ^ ID_MARK, PRIME); hashed.two = Math.imul(two ^ ID_MARK, OTHER_PRIME); }
  else if (((any & RARE) | (all & IN_TIME)) === 0 && ((any & X) === 0 || i - from < HEX_LETTERS)) { hashed.one = part; hashed.two = other; }
  else hashed.one = hashText(foldPart(url.slice(from, i)), one, two);
  return i;
}

/** By its letters alone; what is neither this nor plain is left to the patterns. */
function isId(all: number, letters: number): boolean {
  return (all & IN_NUMBER) !== 0 || ((all & HEX) !== 0 && letters >= HEX_LETTERS) || ((all & IN_GUID) !== 0 && letters === GUID_LETTERS) || ((all & IN_TOKEN) !== 0 && letters >= TOKEN_LETTERS);
}

function hashText(text: string, one: number, two: number): number {
  if (text === '{id}') text = '{';                             // as the walk counts an id
  for (let i = 0; i < text.length; i++) {
    one = Math.imul(one ^ text.charCodeAt(i), PRIME);
    two = Math.imul(two ^ text.charCodeAt(i), OTHER_PRIME);
  }
  hashed.two = two;
  return one;
}
