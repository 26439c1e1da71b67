// Owns pprof: Google's profile.proto read into a call tree with inlined lines, and written from one.
import { gzipSync } from 'node:zlib';
import { fieldsOf, numbersIn, Writing } from './protobuf.ts';
import { TreeBuilder, type Frame, type ProfileTree } from './tree.ts';
import { unreadableProfile } from './unreadable.ts';

// Field numbers of profile.proto.
const PROFILE = { type: 1, sample: 2, location: 4, function: 5, strings: 6, defaultType: 14 } as const;
const MAX_STACK = 4_096;
const MAX_STRINGS = 2_000_000;

interface Sample { readonly locations: number[]; readonly values: number[] }
interface Place { readonly function: number; readonly line: number }
interface Proto { readonly types: (readonly [number, number])[]; readonly samples: Sample[]; readonly locations: Map<number, Place[]>; readonly functions: Map<number, readonly [number, number, number]>; readonly strings: string[]; defaultType: number; cut: boolean }

export function readPprof(bytes: Uint8Array): ProfileTree {
  const proto: Proto = { types: [], samples: [], locations: new Map(), functions: new Map(), strings: [], defaultType: 0, cut: false };
  const text = new TextDecoder();
  try {
    for (const field of fieldsOf(bytes)) {
      if (field.id === PROFILE.defaultType) proto.defaultType = field.value;
      if (field.bytes === undefined) continue;
      if (field.id === PROFILE.strings) { if (proto.strings.length < MAX_STRINGS) proto.strings.push(text.decode(field.bytes.subarray(0, 4_000))); }
      else if (field.id === PROFILE.type) proto.types.push(pair(field.bytes, 1, 2));
      else if (field.id === PROFILE.sample) proto.samples.push(sampleOf(field.bytes));
      else if (field.id === PROFILE.location) locationOf(field.bytes, proto.locations);
      else if (field.id === PROFILE.function) functionOf(field.bytes, proto.functions);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    proto.cut = true;
  }
  if (proto.samples.length === 0 || proto.types.length === 0) throw unreadableProfile(proto.cut ? 'it is a pprof that ends before its first sample' : 'it is a pprof without samples');
  return built(proto);
}

function pair(bytes: Uint8Array, first: number, second: number): readonly [number, number] {
  const found: [number, number] = [0, 0];
  for (const field of fieldsOf(bytes)) if (field.id === first) found[0] = field.value; else if (field.id === second) found[1] = field.value;
  return found;
}

function sampleOf(bytes: Uint8Array): Sample {
  const sample: Sample = { locations: [], values: [] };
  for (const field of fieldsOf(bytes)) if (field.id === 1) numbersIn(field, sample.locations, MAX_STACK); else if (field.id === 2) numbersIn(field, sample.values, 64);
  return sample;
}

function locationOf(bytes: Uint8Array, into: Map<number, Place[]>): void {
  let id = 0;
  const places: Place[] = [];
  for (const field of fieldsOf(bytes)) {
    if (field.id === 1) id = field.value;
    else if (field.id === 4 && field.bytes !== undefined) { const [fn, line] = pair(field.bytes, 1, 2); places.push({ function: fn, line }); }
  }
  into.set(id, places);
}

function functionOf(bytes: Uint8Array, into: Map<number, readonly [number, number, number]>): void {
  let id = 0, name = 0, file = 0, start = 0;
  for (const field of fieldsOf(bytes)) if (field.id === 1) id = field.value; else if (field.id === 2) name = field.value; else if (field.id === 4) file = field.value; else if (field.id === 5) start = field.value;
  into.set(id, [name, file, start]);
}

/** Which of the values: the one named as default, else time, else bytes that live, else the last. */
function chosen(proto: Proto): { index: number; unit: 'us' | 'bytes' | 'samples'; factor: number } {
  const said = proto.types.map(([type, unit]) => ({ type: proto.strings[type] ?? '', unit: proto.strings[unit] ?? '' }));
  const wanted = proto.strings[proto.defaultType] ?? '';
  let index = said.findIndex((one) => wanted !== '' && one.type === wanted);
  if (index < 0) index = said.findIndex((one) => one.unit.endsWith('seconds'));
  if (index < 0) index = said.findIndex((one) => one.unit === 'bytes');
  if (index < 0) index = said.length - 1;
  const factor = ({ nanoseconds: 1e-3, microseconds: 1, milliseconds: 1e3, seconds: 1e6 } as Readonly<Record<string, number>>)[said[index]?.unit ?? ''];
  return { index, unit: factor !== undefined ? 'us' : said[index]?.unit === 'bytes' ? 'bytes' : 'samples', factor: factor ?? 1 };
}

function built(proto: Proto): ProfileTree {
  const build = new TreeBuilder();
  if (proto.cut) build.notes.push('the file is cut off: only what is whole in it is told');
  const { index, unit, factor } = chosen(proto);
  const root = build.frame('(root)');
  for (const { locations, values } of proto.samples) {
    const frames = [root];
    let leaf = 0;
    for (const location of locations.reverse()) {
      // Lines of one location: the innermost inlined one first.
      for (const { function: id, line } of [...proto.locations.get(location) ?? [{ function: -1, line: 0 }]].reverse()) {
        const [name, file, start] = proto.functions.get(id) ?? [0, 0, 0];
        frames.push(build.frame(proto.strings[name] || '[unknown]', plainFile(proto.strings[file] ?? ''), start));
        leaf = line === start ? 0 : line;
      }
    }
    const node = build.stack(frames.slice(0, MAX_STACK), (values[index] ?? 0) * factor);
    if (node >= 0) build.line(node, leaf, values[index] ?? 0);
  }
  return build.tree('pprof', unit);
}

const plainFile = (file: string): string => file.replace(/^<\w+>$/, '');

/** The same tree as pprof, gzipped as its tools expect. */
export function writePprof(tree: ProfileTree): Uint8Array {
  const strings = new Map<string, number>([['', 0]]);
  const text = (one: string): number => { const known = strings.get(one); if (known !== undefined) return known; strings.set(one, strings.size); return strings.size - 1; };
  const [type, unit] = ({ us: ['cpu', 'microseconds'], bytes: ['space', 'bytes'], samples: ['samples', 'count'] } as const)[tree.unit];
  const parts: Uint8Array[] = [new Writing().message(PROFILE.type, new Writing().number(1, text(type)).number(2, text(unit))).done()];
  for (let node = 0; node < tree.count; node += 1) {
    if ((tree.self[node] as number) <= 0) continue;
    const stack: number[] = [];
    for (let at = node; at >= 0; at = tree.parent[at] as number) stack.push((tree.frame[at] as number) + 1);
    parts.push(new Writing().message(PROFILE.sample, new Writing().packed(1, stack).packed(2, [tree.self[node] as number])).done());
  }
  tree.frames.forEach((frame, index) => { parts.push(frameBytes(frame, index + 1, text)); });
  const table = new Writing();
  for (const one of strings.keys()) table.text(PROFILE.strings, one);
  parts.push(table.done());
  return gzipSync(Buffer.concat(parts));
}

function frameBytes(frame: Frame, id: number, text: (one: string) => number): Uint8Array {
  return new Writing().message(PROFILE.location, new Writing().number(1, id).message(4, new Writing().number(1, id).number(2, frame.line)))
    .message(PROFILE.function, new Writing().number(1, id).number(2, text(frame.name)).number(3, text(frame.name)).number(4, text(frame.url)).number(5, frame.line)).done();
}
