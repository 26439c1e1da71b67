// Owns the reading of a JVM's class histogram (jcmd GC.class_histogram, jmap -histo).
export interface HistogramClass { readonly name: string; readonly instances: number; readonly bytes: number }
export interface Histogram { readonly classes: readonly HistogramClass[]; readonly totalBytes: number }

/** The rest has little. */
const MAX_CLASSES = 200;
const PRIMITIVES: Readonly<Record<string, string>> = { B: 'byte', C: 'char', D: 'double', F: 'float', I: 'int', J: 'long', S: 'short', Z: 'boolean' };

/** Most bytes first, as it stands there; the sum is its own last line, or what the rows give when it is cut off. */
export function parseHistogram(text: string): Histogram {
  const classes: HistogramClass[] = [];
  let sum = 0;
  for (const [, instances, size, name = ''] of text.matchAll(/^ *\d+: +(\d+) +(\d+) +(\S+)/gm)) {
    sum += Number(size);
    if (classes.length < MAX_CLASSES) classes.push({ name: readable(name), instances: Number(instances), bytes: Number(size) });
  }
  const total = /^Total +\d+ +(\d+)/m.exec(text)?.[1];
  return { classes, totalBytes: total === undefined ? sum : Number(total) };
}

/** "[Ljava.lang.String;" is String[], "[B" is byte[]. */
function readable(name: string): string {
  const [, dims = '', rest = name] = /^(\[+)(.+)$/.exec(name) ?? [];
  if (dims === '') return name.slice(0, 200);
  return `${(PRIMITIVES[rest] ?? rest.replace(/^L/, '').replace(/;$/, '')).slice(0, 200)}${'[]'.repeat(dims.length)}`;
}
