// Owns the mask of followed logs: which lines are looked at, and how an entry is shown.
import type { LineMask } from '../observe/logs/masked.ts';
import { hasRowCells, maskedRowText } from '../analyze/http-rows.ts';
import type { Masker } from '../analyze/masker.ts';

/** Of an entry so much is looked at for a secret whose end is not there yet. */
const LOOK_CHARS = 8_192;
/** An element, an attribute or a quoted item that has begun and not ended: what follows decides whether it is masked. */
const OPEN = /(?:<[A-Za-z_][\w.:-]{0,63}>[^<]*|value["']?\s{0,4}[=:]\s{0,4}["'][^"']*|["'],\s{0,40}["'][^"']*)$/i;

/** `masker` as of now: what the site's processes hold is learnt while they run. */
export function lineMaskOf(masker: () => Masker): LineMask {
  return {
    suspect: (bytes, from, to) => masker().suspect(bytes, from, to),
    row: hasRowCells,
    // In a row of the HTTP log a secret stands under a name that only its column makes one: `code=` of a query, any cookie.
    text: (text) => masker().text(maskedRowText(text) ?? text).text,
    open: (text) => OPEN.test(text.slice(-LOOK_CHARS)),
  };
}
