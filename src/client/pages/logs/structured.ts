// Owns what a structured entry holds: its fields, from JSON or from name=value pairs.
import { jsonFields } from '../../../shared/log-fields.ts';

/** More fields than this are left out and said. */
export const MAX_FIELDS = 60;
/** Fewer pairs than this are prose with an equals sign in it. */
const MIN_PAIRS = 3;

export interface Field { readonly name: string; readonly value: string }

/** The fields of an entry; empty when it has none. Nested objects are shown as JSON. */
export function fieldsOf(text: string): readonly Field[] {
  const fields = jsonFields(text);
  if (fields !== undefined) return Object.entries(fields).map(([name, value]) => ({ name, value: typeof value === 'string' ? value : JSON.stringify(value) ?? '' }));
  const pairs = [...text.slice(0, 16_384).matchAll(/(?<![^\s])([A-Za-z_][\w.-]{0,63})=(?:"((?:[^"\\]|\\.){0,2000})"|([^\s"]{0,2000}))/g)];
  return pairs.length < MIN_PAIRS ? [] : pairs.map((pair) => ({ name: pair[1] ?? '', value: pair[2] ?? pair[3] ?? '' }));
}

const PAIR = /(?:^|\s)[A-Za-z_][\w.-]{0,63}=/g;
const LOOK_CHARS = 400;

/** A quick look: is it worth offering the fields of this entry? */
export function isStructured(text: string): boolean {
  const head = text.slice(0, LOOK_CHARS);
  return head.startsWith('{"') || /^\S{1,40} (?:std\w{3} F )?\{"/.test(head) || (head.match(PAIR)?.length ?? 0) >= MIN_PAIRS;
}

/** Lines that the fields of an opened entry take. */
export const fieldLines = (text: string): number => { const { length } = fieldsOf(text); return Math.min(length, MAX_FIELDS + 1); };
