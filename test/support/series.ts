// Owns a short notation for series of numbers in tests: 'rss 100 120 _ 160x3' is 100, 120, nothing, and 160 three times.

export interface Series { readonly name: string; readonly values: readonly (number | undefined)[] }

/** `_` is a missing value, `NxT` is N repeated T times. @throws Error for a word that is neither */
export function series(text: string): Series {
  const [name = '', ...words] = text.trim().split(/\s+/);
  return { name, values: words.flatMap(word) };
}

function word(text: string): (number | undefined)[] {
  const [, value = '', times = '1'] = /^(_|-?\d+(?:\.\d+)?)(?:x(\d+))?$/.exec(text) ?? [];
  if (value === '') throw new Error(`${text} is not a value of a series`);
  return Array.from({ length: Number(times) }, () => value === '_' ? undefined : Number(value));
}
