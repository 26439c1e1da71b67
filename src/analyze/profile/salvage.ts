// Owns what can still be read of JSON that is cut off: the whole elements of an array, found by its key.

/** The objects of an array up to the first that is not whole. */
export function elementsOf(text: string, key: string): unknown[] {
  const found: unknown[] = [];
  const start = arrayAfter(text, key);
  if (start < 0) return found;
  let depth = 0, from = -1, quoted = false;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (quoted) { if (code === 92) at += 1; else if (code === 34) quoted = false; continue; }
    if (code === 34) quoted = true;
    else if (code === 123) { if (depth === 0) from = at; depth += 1; }
    else if (code === 125) {
      depth -= 1;
      if (depth < 0) return found;
      if (depth > 0) continue;
      try { found.push(JSON.parse(text.slice(from, at + 1))); } catch (error) { if (error instanceof SyntaxError) return found; throw error; }
    } else if (code === 93 && depth === 0) return found;
  }
  return found;
}

/** The numbers of an array as far as they are whole. */
export function numbersOf(text: string, key: string): number[] {
  const start = arrayAfter(text, key);
  if (start < 0) return [];
  const close = text.indexOf(']', start);
  const last = close < 0 ? text.lastIndexOf(',') : close;      // the last number of a cut file may miss digits
  const found: number[] = [];
  for (let at = start; at < last;) {
    const comma = text.indexOf(',', at);
    const to = comma < 0 || comma > last ? last : comma;
    const n = to - at > 30 ? NaN : Number(text.slice(at, to));
    if (!Number.isFinite(n)) break;
    found.push(n);
    at = to + 1;
  }
  return found;
}

function arrayAfter(text: string, key: string): number {
  const at = text.indexOf(`"${key}"`);
  if (at < 0) return -1;
  const open = text.indexOf('[', at);
  return open < 0 || open - at > key.length + 20 ? -1 : open + 1;
}
