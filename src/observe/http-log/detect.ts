// Owns the guess which format a log is in: every candidate reads a sample, and the one that reads most of it wins, with a stated confidence.
import { open } from 'node:fs/promises';
import type { Columns, LogFormat } from './columns.ts';
import { knownFormats } from './formats/known.ts';
import { JSON_IDS, json } from './formats/json.ts';
import { ncsaCombined, ncsaCommon } from './formats/ncsa.ts';
import { formatNamed } from './formats/index.ts';
import type { ByteSource } from './unpack.ts';
import { iisW3c } from './w3c.ts';

export interface Detection {
  /** Undefined: no format reads any of it. */
  readonly format?: LogFormat;
  /** 0 to 1; 1 when the user named the format. */
  readonly confidence: number;
  /** The next best; not looked for behind a format that reads all of it. */
  readonly runnerUp?: { readonly id: string; readonly title: string; readonly confidence: number };
  /** What the sample looks like, in a few words without its content. */
  readonly seen: string;
}

/** Pieces of one log: its beginning, and maybe some from farther in, which begin and end anywhere in a line. */
export interface Sample { readonly first: Uint8Array; /** The beginning is all there is. */ readonly whole: boolean; readonly later: readonly Uint8Array[] }

/** 1 is the user's word only. */
const MOST_CONFIDENT = 0.99;
const FIRST_BYTES = 64 * 1024, LATER_BYTES = 16 * 1024;
/** Where the later pieces lie: a log may have begun in another format (a server's upgrade, a file that was appended to). */
const LATER_AT = [0.4, 0.8] as const;
const LF = 10, HASH = 35, OPEN = 123, LIST = 91;

interface Candidate { readonly format: LogFormat; /** How much a row of it proves: a format that fits much proves little. */ readonly weight: number; plausible?(columns: Columns): number }

/** @throws what reading the source throws */
export async function sampleOf(source: ByteSource, signal: AbortSignal): Promise<Sample> {
  const first = new Uint8Array(FIRST_BYTES);
  let size = 0;
  let more = false;
  for await (const piece of source.read(signal)) {
    const part = piece.subarray(0, FIRST_BYTES - size);
    first.set(part, size);
    size += part.length;
    more = part.length < piece.length;
    if (more) break;
  }
  return { first: first.subarray(0, size), whole: !more, later: more ? await laterPieces(source, size) : [] };
}

async function laterPieces(source: ByteSource, from: number): Promise<Uint8Array[]> {
  const { path, textBytes } = source;
  if (path === undefined || textBytes === undefined) return [];
  const file = await open(path, 'r');
  try {
    const later: Uint8Array[] = [];
    for (const share of LATER_AT) {
      const buffer = new Uint8Array(LATER_BYTES);
      const { bytesRead } = await file.read(buffer, 0, LATER_BYTES, Math.max(from, Math.floor(textBytes * share)));
      later.push(buffer.subarray(0, bytesRead));
    }
    return later;
  } finally {
    await file.close();
  }
}

/** `named` is the user's word: an id, "nginx:<log_format>" or "apache:<LogFormat>". @throws LOG_FORMAT_BAD */
export function detect(sample: Sample, named?: string): Detection {
  const seen = describe(sample.first);
  if (named !== undefined && named !== '') return { format: formatNamed(named), confidence: 1, seen };
  const scored: { readonly format: LogFormat; readonly confidence: number }[] = [];
  for (const candidate of candidates(sample.first)) {
    const confidence = score(candidate, sample);
    if (confidence > 0) scored.push({ format: candidate.format, confidence });
    // No other can be surer, and of equals the earlier one is taken.
    if (confidence === MOST_CONFIDENT) break;
  }
  scored.sort((a, b) => b.confidence - a.confidence);
  const best = scored[0];
  if (best === undefined) return { confidence: 0, seen };
  // The same format read as one array is no other answer.
  const next = scored.find((one) => one !== best && (one.format.id !== best.format.id || !JSON_IDS.includes(one.format.id)));
  const runnerUp = next === undefined ? {} : { runnerUp: { id: next.format.id, title: next.format.title, confidence: next.confidence } };
  return { format: best.format, confidence: best.confidence, ...runnerUp, seen };
}

/** By the first byte that tells anything. */
function candidates(first: Uint8Array): Iterable<Candidate> {
  const at = tellingByte(first);
  const byte = first[at];
  if (byte === OPEN || byte === LIST) {
    const lines = JSON_IDS.map((id): Candidate => ({ format: json(id), weight: id === 'json' ? 0.85 : 1, plausible: fullness }));
    // In an array the lines may be no records; where they are, reading by lines is better: it can begin anywhere.
    return [...lines, ...JSON_IDS.map((id): Candidate => ({ format: json(id, 'array'), weight: id === 'json' ? 0.8 : 0.95, plausible: fullness }))];
  }
  return texts();
}

function* texts(): Generator<Candidate> {
  yield { format: iisW3c, weight: 1 };
  yield { format: ncsaCombined, weight: 1, plausible: hasAddress };
  yield { format: ncsaCommon, weight: 0.95, plausible: hasAddress };
  const { nginx, apache } = knownFormats();
  for (const { format, weight } of nginx) yield { format, weight, plausible: (columns) => hasAddress(columns) * fractionOfSeconds(columns) };
  for (const { format, weight } of apache) yield { format, weight, plausible: (columns) => hasAddress(columns) * wholeUnits(columns) };
}

/** Reads the sample; the share of its lines that are rows, weighed by how many there are and by how much they prove. */
function score(candidate: Candidate, sample: Sample): number {
  let rows = 0, malformed = 0, plausible = 0, comments = 0;
  const take = (bytes: Uint8Array, dropPartial: boolean, head?: string): string | undefined => {
    const reader = candidate.format.reader({ dropPartial, ...(head === undefined ? {} : { head }), sink: (columns) => { plausible += (candidate.plausible?.(columns) ?? 1) * columns.rows; } });
    reader.write(bytes);
    reader.end();
    rows += reader.counts.rows;
    malformed += reader.counts.malformed;
    comments += reader.counts.comments;
    return reader.head;
  };
  const head = take(sample.first, !sample.whole);
  if (candidate.format.fromStart !== true) for (const piece of sample.later) take(piece.subarray(piece.indexOf(LF) + 1), true, head);
  if (candidate.format === iisW3c && head !== undefined && rows + malformed === 0) return 0.9;
  if (rows === 0) return 0;
  const headless = candidate.format === iisW3c && head === undefined ? 0.85 : 1;
  const mostlyOther = rows + comments > 0 && comments > rows * 20 && candidate.format !== iisW3c ? 0.8 : 1;
  const confidence = candidate.weight * headless * mostlyOther * (rows / (rows + malformed)) * (plausible / rows) * (rows / (rows + 0.1));
  return Math.min(MOST_CONFIDENT, Math.round(confidence * 100) / 100);
}

/** Of JSON: a dialect that finds but a status and a time under its names is none. */
function fullness(columns: Columns): number {
  const { text, rows } = columns;
  let found = 0;
  for (let row = 0; row < rows; row += 1) for (const column of [text.path, text.method, text.client]) if ((column.to[row] as number) > (column.from[row] as number)) found += 1;
  return rows === 0 ? 0 : (columns.taken.subarray(0, rows).some((ms) => ms >= 0) ? 0.2 : 0.1) + 0.8 * found / (3 * rows);
}

/** Clients are addresses in nearly all logs; where host names stand, the columns may be off by one. */
function hasAddress(columns: Columns): number {
  const { client } = columns.text;
  let addresses = 0;
  for (let row = 0; row < columns.rows; row += 1) if (isAddress(columns.bytes, client.from[row] as number, client.to[row] as number)) addresses += 1;
  return columns.rows === 0 ? 0 : 0.6 + 0.4 * addresses / columns.rows;
}

function isAddress(bytes: Uint8Array, from: number, to: number): boolean {
  let parts = 0;
  for (let i = from; i < to; i += 1) {
    const byte = bytes[i] as number;
    if (byte === 46 || byte === 58) parts += 1;
    else if (!((byte >= 48 && byte <= 57) || ((byte | 32) >= 97 && (byte | 32) <= 102))) return false;
  }
  return parts >= 2;
}

/** nginx writes seconds with three digits behind the point: whole seconds everywhere are another unit. */
function fractionOfSeconds(columns: Columns): number {
  const taken = columns.taken.subarray(0, columns.rows).filter((ms) => ms > 0);
  return taken.length > 0 && taken.every((ms) => ms % 1_000 === 0) ? 0.3 : 1;
}

/** Apache writes whole µs (%D): a fraction of one is another unit. */
function wholeUnits(columns: Columns): number {
  const taken = columns.taken.subarray(0, columns.rows).filter((ms) => ms > 0);
  return taken.some((ms) => Math.abs(ms * 1_000 - Math.round(ms * 1_000)) > 1e-6) ? 0.3 : 1;
}

/** Behind BOM, NUL bytes, blanks and comments. */
function tellingByte(bytes: Uint8Array): number {
  let at = bytes[0] === 0xEF && bytes[1] === 0xBB && bytes[2] === 0xBF ? 3 : 0;
  for (;;) {
    while (at < bytes.length && (bytes[at] as number) <= 32) at += 1;
    if (bytes[at] !== HASH) return at;
    const lf = bytes.indexOf(LF, at);
    if (lf < 0) return at;
    at = lf + 1;
  }
}

/** The shape of the first line: letters as a, digits as 0, so that nothing of it is told. */
function describe(first: Uint8Array): string {
  if (first.length === 0) return 'nothing: it is empty';
  if ((first[0] === 0xFF && first[1] === 0xFE) || (first[0] === 0xFE && first[1] === 0xFF)) return 'text in UTF-16: convert it to UTF-8';
  const at = tellingByte(first);
  if (at >= first.length) return 'only blanks, NUL bytes or comments';
  const end = first.indexOf(LF, at);
  const line = first.subarray(at, Math.min(end < 0 ? first.length : end, at + 200));
  const odd = line.filter((byte) => byte < 9 || (byte > 13 && byte < 32)).length;
  if (odd > line.length / 20) return 'no text: bytes of another kind of file';
  const shape = Buffer.from(line).toString('latin1').replace(/[\r\n\t]+/g, ' ').trim().replace(/[a-zA-Z\x80-\xFF]+/g, 'a').replace(/\d+/g, '0').slice(0, 60);
  return `lines like ${shape}`;
}
