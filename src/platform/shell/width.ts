// Owns how many cells a sign takes on the terminal of the page: the table that xterm.js uses unless told otherwise (Unicode 6).

const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f], [0x2e80, 0x303e], [0x3041, 0xa4cf], [0xac00, 0xd7a3], [0xf900, 0xfaff], [0xfe30, 0xfe6f], [0xff00, 0xff60], [0xffe0, 0xffe6], [0x20000, 0x3fffd],
];
/** Variation selectors are among \p{Mn}; U+200B to U+200F join or turn without a sign of their own. */
const NONE = /^(?:[\p{Mn}\p{Me}]|[\u200b-\u200f])$/u;

/** Of one code point: 0 for what joins the sign before it, 2 for the wide ones of East Asia. */
export function widthOf(sign: string): 0 | 1 | 2 {
  const code = sign.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (NONE.test(sign)) return 0;
  return WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** Of a line of output, without its control sequences; what stands before its last return was overwritten. */
export function widthOfOutput(line: string): number {
  const shown = line.slice(line.lastIndexOf('\r') + 1)
    .replace(/\x1b(?:\[[0-9;?<=>]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[^[\]])/g, '')
    .replace(/[\x00-\x1f\x7f]/g, '');
  let width = 0;
  for (const sign of shown) width += widthOf(sign);
  return width;
}
