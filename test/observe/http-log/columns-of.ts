// Owns columns made by hand for tests: rows as objects in, one batch out.
import { ABSENT, TEXT_ROLES } from '../../../src/observe/http-log/columns.ts';
import type { Columns, TextRole } from '../../../src/observe/http-log/columns.ts';

type Numbers = Partial<Record<'offset' | 'sub' | 'win32' | 'taken' | 'sent' | 'received', number>>;
export type Given = { at: number; status: number } & Numbers & Partial<Record<TextRole, string | Uint8Array>>;

export function columnsOf(given: readonly Given[]): Columns {
  const size = given.length;
  const float = (value: (one: Given) => number): Float64Array => Float64Array.from(given, value);
  const int = (value: (one: Given) => number): Int32Array => Int32Array.from(given, value);
  const text = Object.fromEntries(TEXT_ROLES.map((role) => [role, { from: new Int32Array(size), to: new Int32Array(size), hash: new Int32Array(size) }])) as Columns['text'];
  let bytes: Uint8Array = new Uint8Array(0);
  given.forEach((one, row) => {
    for (const role of TEXT_ROLES) {
      const value = one[role];
      if (value === undefined) continue;
      text[role].from[row] = bytes.length;
      bytes = Buffer.concat([bytes, typeof value === 'string' ? Buffer.from(value) : value]);
      text[role].to[row] = bytes.length;
    }
  });
  return {
    rows: size, bytes, text, offset: float((one) => one.offset ?? 0), at: float((one) => one.at), status: int((one) => one.status), sub: int((one) => one.sub ?? ABSENT), win32: float((one) => one.win32 ?? ABSENT),
    taken: float((one) => one.taken ?? ABSENT), sent: float((one) => one.sent ?? ABSENT), received: float((one) => one.received ?? ABSENT),
  };
}
