// Owns damaged profiles: the same number gives the same file, made from whole ones by cuts, flips, repeats and hostile values.

const HOSTILE = ['-1', '1e308', '99999999999999999999', 'null', '"\\u0000"', '[]', '{}', 'true', '2147483648', '-9007199254740993', '"__proto__"', '"'.padEnd(2_000, 'x') + '"'];

export function chance(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => { state ^= state << 13; state >>>= 0; state ^= state >>> 17; state ^= state << 5; state >>>= 0; return state / 2 ** 32; };
}

export function mutated(whole: readonly Uint8Array[], seed: number): Uint8Array {
  const next = chance(seed);
  const pick = (n: number): number => Math.floor(next() * n);
  let bytes: Buffer = Buffer.from(whole[pick(whole.length)] ?? new Uint8Array());
  for (let times = 1 + pick(4); times > 0; times -= 1) {
    const at = pick(bytes.length), to = Math.min(bytes.length, at + 1 + pick(200));
    const way = pick(6);
    if (way === 0) bytes = bytes.subarray(0, at);
    else if (way === 1) { bytes = Buffer.from(bytes); for (let i = at; i < Math.min(to, at + 4); i += 1) bytes[i] = pick(256); }
    else if (way === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    else if (way === 3) bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at, to), bytes.subarray(at)]);
    else if (way === 4) bytes = replacedNumber(bytes, at, HOSTILE[pick(HOSTILE.length)] as string);
    else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(whole[pick(whole.length)] ?? []).subarray(0, pick(400)), bytes.subarray(at)]);
    if (bytes.length === 0) break;
  }
  return bytes;
}

/** The next number of a text becomes something else. */
function replacedNumber(bytes: Buffer, from: number, by: string): Buffer {
  let at = from;
  const digit = (i: number): boolean => { const code = bytes[i] ?? 0; return code >= 48 && code <= 57; };
  while (at < bytes.length && !digit(at)) at += 1;
  let end = at;
  while (end < bytes.length && digit(end)) end += 1;
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(by), bytes.subarray(end)]);
}
