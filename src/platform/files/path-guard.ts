// Owns the judgement of paths that come from outside: by the rules of a system, whichever system this is; a pure function of the text.

/** Whose rules: what is a plain name on Linux may name a device, a stream or another file on Windows. */
export type PathRules = 'posix' | 'windows';

export type Judged = { readonly parts: readonly string[] } | { readonly refused: string };

/** Of a component: bytes on Linux, UTF-16 units on Windows. */
const MAX_NAME = 255;
/** Of a whole path below its root; Linux takes 4,096 bytes with the root, Windows 32,767 units. */
const MAX_PATH: Readonly<Record<PathRules, number>> = { posix: 3_800, windows: 32_000 };
/** A folder lies in a folder: deeper trees are made by accident or to do harm. */
const MAX_DEPTH = 200;

/** Windows opens a device for these with any ending: NUL.txt, "COM1 .log", and the superscript digits that it takes for digits. */
const DEVICE = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³]) *(?:\.|$)/i;
/** The form of a short name (8.3) that Windows makes for a long one: PROGRA~1, TEXTFI~2.TXT. It would be a second name past every list of closed ones. */
const SHORT = /^[^.]{0,7}~\d{1,6}(?:\.[^.]{0,3})?$/;
const WINDOWS_SIGNS = /[<>:"|?*\\]/;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** Half of a pair of UTF-16 units: not a character, and no bytes on a disk of Linux. */
const HALF = /\p{Cs}/u;

/**
 * Takes a path apart that names something below a root: names with `/` between them, decoded once, `` for the root itself; one slash at the end is allowed.
 * Refused is everything that could lead elsewhere or name the same file twice; the text says why.
 */
export function judgePath(path: string, rules: PathRules): Judged {
  if (path === '' || path === '/') return { parts: [] };
  const sized = rules === 'posix' ? utf8Length(path) : path.length;
  if (sized > MAX_PATH[rules]) return { refused: 'it is too long' };
  if (path.startsWith('/')) return { refused: 'it begins with a slash' };
  if (rules === 'windows' && /^(?:\\|[a-z]:)/i.test(path)) return { refused: 'it names a drive, a share or a device' };
  const parts = path.replace(/\/$/, '').split('/');
  if (parts.length > MAX_DEPTH) return { refused: `it has more than ${MAX_DEPTH} folders` };
  for (const part of parts) {
    const why = nameFault(part, rules);
    if (why !== undefined) return { refused: why };
  }
  return { parts };
}

/** Why a text is no plain name of a file or folder; undefined when it is one. */
export function nameFault(name: string, rules: PathRules): string | undefined {
  if (name === '') return 'a name in it is empty';
  if (name === '.' || name === '..') return `"${name}" is not followed`;
  if (name.includes('/')) return 'a name has no slash';
  if (CONTROL.test(name)) return 'it has a control character';
  if (HALF.test(name)) return 'it has half a character';
  if ((rules === 'posix' ? utf8Length(name) : name.length) > MAX_NAME) return `a name in it is longer than ${MAX_NAME} ${rules === 'posix' ? 'bytes' : 'characters'}`;
  return rules === 'windows' ? windowsFault(name) : undefined;
}

function windowsFault(name: string): string | undefined {
  if (name.includes(':')) return 'a colon names a drive or a stream of a file';
  if (WINDOWS_SIGNS.test(name)) return 'a name on Windows has none of < > " | ? * and no backslash';
  if (/[. ]$/.test(name)) return 'Windows drops a dot or space at the end of a name';
  if (DEVICE.test(name)) return 'it names a device';
  if (SHORT.test(name)) return 'it has the form of a short name (8.3)';
  return undefined;
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : unit >= 0xd800 && unit < 0xe000 ? 2 : 3;   // each half of a pair: two of its four bytes
  }
  return bytes;
}

/** Whether two names may be one file on a disk that does not mind case. Both ways, since alphabets fold differently upwards and downwards. */
export function sameName(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase() || one.toUpperCase() === other.toUpperCase();
}

/** How many of the first names of a path are those of another, case aside; the whole other path is within when it is its length. */
export function within(parts: readonly string[], of: readonly string[]): boolean {
  return of.length <= parts.length && of.every((name, i) => sameName(name, parts[i] ?? ''));
}
