// Owns the cursor: an opaque place in a log that still finds its bytes after the file was renamed, copied or replaced.
import { DiagError } from '../../shared/errors.ts';
import { TAIL_BYTES } from './lines.ts';

/** How much of a file's beginning tells it from others. Long enough to reach past a banner into the first times of most logs. */
export const HEAD_BYTES = 256;

/** A place in one file, with what is needed to recognise that file later. */
export interface Mark {
  readonly source: string;
  readonly ino: string;         // base 36; unreliable on some shares, so never believed alone
  readonly bornAt: number;      // epoch ms; 0 where the file system does not know
  readonly changedAt: number;   // epoch ms of the last write we saw: what was written later comes after this place
  readonly offset: number;
  readonly headLength: number;
  readonly head: number;        // fingerprint of the first `headLength` bytes
  readonly tailLength: number;
  readonly tail: number;        // fingerprint of the `tailLength` bytes before `offset`
}

const FORM = /^a1\.([a-z0-9]{1,40})\.([a-z0-9]{1,13})\.([a-z0-9]{1,11})\.([a-z0-9]{1,11})\.([a-z0-9]{1,11})\.([a-z0-9]{1,3})\.([a-z0-9]{1,7})\.([a-z0-9]{1,3})\.([a-z0-9]{1,7})$/;
const UINT32 = 0xffff_ffff;

const n = (value: number): string => value.toString(36);

/** What all places of a file have in common, and that is most of the text, is written once. */
const written = { source: '', ino: '', bornAt: NaN, changedAt: NaN, headLength: NaN, head: NaN, before: '', between: '' };

export function encodeCursor(mark: Mark): string {
  if (mark.changedAt !== written.changedAt || mark.head !== written.head || mark.headLength !== written.headLength || mark.ino !== written.ino || mark.bornAt !== written.bornAt || mark.source !== written.source) {
    const { source, ino, bornAt, changedAt, headLength, head } = mark;
    const [before, between] = [`a1.${source}.${ino}.${n(bornAt)}.${n(changedAt)}.`, `.${n(headLength)}.${n(head)}.`];
    Object.assign(written, { source, ino, bornAt, changedAt, headLength, head, before, between });
  }
  return `${written.before}${n(mark.offset)}${written.between}${n(mark.tailLength)}.${n(mark.tail)}`;
}

/** @throws CURSOR_BAD when it is not a cursor of this source */
export function decodeCursor(text: string, source: string): Mark {
  const found = FORM.exec(text);
  if (!found || found[1] !== source) throw new DiagError('CURSOR_BAD');
  const n = (group: number, max: number): number => {
    const value = Number.parseInt(found[group] as string, 36);
    if (!Number.isSafeInteger(value) || value > max) throw new DiagError('CURSOR_BAD');
    return value;
  };
  const max = Number.MAX_SAFE_INTEGER;
  const offset = n(5, max);
  return {
    source, ino: found[2] as string, bornAt: n(3, max), changedAt: n(4, max), offset,
    headLength: n(6, HEAD_BYTES), head: n(7, UINT32), tailLength: n(8, Math.min(TAIL_BYTES, offset)), tail: n(9, UINT32),
  };
}
