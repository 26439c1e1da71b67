// Owns the folding of paths into routes: what differs from request to request becomes {id}.

/** Longer routes are cut: a route is a name for people and a key of a bounded table. */
export const MAX_ROUTE_LENGTH = 200;
const MAX_SEGMENTS = 24;

const NUMBER = /^[+-]?\d+(?:[.,]\d+)?$/;
const GUID = /^\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$/i;
const HEX = /^(?:0x)?[0-9a-f]{12,}$/i;
const HAS_DIGIT = /\d/;
/** Words joined by - or _ with a number or hash at the end: order-1234, build_5f3a9c0012ab. */
const TAILED = /^([a-z]{1,20}[-_])(\d+|[0-9a-f]{12,})$/i;
const TOKEN = /^[A-Za-z0-9_\-+=~.]{20,}$/;
const DATE = /^\d{4}-\d\d-\d\d(?:T[\d:.]+Z?)?$/;
const FILE = /^.*\.[a-z][a-z0-9]{0,9}$/i;

/**
 * The route of a path: numbers, dates, GUIDs, hashes and long tokens folded into `{id}`; everything else, file names too, stays.
 * Never longer than MAX_ROUTE_LENGTH; a path that cannot be percent-decoded is taken as it stands. No path makes it throw.
 */
export function routeOf(path: string): string {
  const cut = path.length > 4_096 ? path.slice(0, 4_096) : path;
  const query = cut.indexOf('?');
  const segments = (query < 0 ? cut : cut.slice(0, query)).split('/');
  const folded = segments.length > MAX_SEGMENTS + 1 ? [...segments.slice(0, MAX_SEGMENTS + 1), '…'] : segments;
  const route = folded.map((segment) => fold(segment)).join('/') || '/';
  return route.length > MAX_ROUTE_LENGTH ? `${route.slice(0, MAX_ROUTE_LENGTH - 1)}…` : route;
}

function fold(segment: string): string {
  if (segment === '' || segment === '…') return segment;
  const plain = decoded(segment);
  if (NUMBER.test(plain) || GUID.test(plain) || DATE.test(plain)) return '{id}';
  if (HEX.test(plain) && HAS_DIGIT.test(plain)) return '{id}';
  const tailed = TAILED.exec(plain);
  if (tailed && HAS_DIGIT.test(tailed[2] ?? '')) return `${tailed[1]}{id}`;
  if (TOKEN.test(plain) && looksRandom(plain)) return '{id}';
  return segment;
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) return segment;
    throw error;
  }
}

/** A long base64 or JWT-like token: capitals, small letters and digits change often, as they do not in names of files and words. */
function looksRandom(text: string): boolean {
  if (!HAS_DIGIT.test(text) || (FILE.test(text) && !/^ey[A-Za-z0-9_-]+\./.test(text))) return false;
  let changes = 0;
  for (let i = 1; i < text.length; i += 1) if (kind(text.charCodeAt(i)) !== kind(text.charCodeAt(i - 1))) changes += 1;
  // Random base64 changes at about 0.6 of its places, CamelCase words with a number at about 0.3.
  return changes >= text.length * 0.45;
}

function kind(code: number): 0 | 1 | 2 | 3 {
  if (code >= 97 && code <= 122) return 0;
  if (code >= 65 && code <= 90) return 1;
  return code >= 48 && code <= 57 ? 2 : 3;
}
