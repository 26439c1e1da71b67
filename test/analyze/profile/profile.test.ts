// Owns the tests of profiles: numbers by hand, blocks, maps, inlining, comparison, damage, and what other tools write.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { transform } from 'esbuild';
import { ProfileReport } from '../../../src/shared/profile.ts';
import { boxAt, differenceOf, flameOf, matchedShare, matchesOf } from '../../../src/shared/profile-flame.ts';
import { findingsOf } from '../../../src/analyze/analyzers/profiles.ts';
import { readJfrPrint } from '../../../src/analyze/profile/jfr.ts';
import { writePprof } from '../../../src/analyze/profile/pprof.ts';
import { readProfile } from '../../../src/analyze/profile/read.ts';
import { reportOf } from '../../../src/analyze/profile/report.ts';
import { writeSpeedscope } from '../../../src/analyze/profile/speedscope.ts';
import { columnsOf } from '../../../src/analyze/profile/columns.ts';
import { mutated } from './mutate.ts';

interface Call { name: string; url?: string; line?: number; ticks?: [number, number][]; below?: Call[] }
/** A profile as V8 writes it; samples name the calls by their number in depth-first order from 1. */
function cpu(root: Call, samples: readonly (readonly [number, number])[]): Record<string, unknown> {
  const nodes: unknown[] = [];
  const add = (call: Call): number => {
    const id = nodes.length + 1;
    const node: Record<string, unknown> = { id, callFrame: { functionName: call.name, scriptId: '0', url: call.url ?? '', lineNumber: (call.line ?? 0) - 1, columnNumber: -1 }, hitCount: 0 };
    nodes.push(node);
    node['children'] = (call.below ?? []).map(add);
    if (call.ticks) node['positionTicks'] = call.ticks.map(([line, ticks]) => ({ line, ticks }));
    return id;
  };
  add(root);
  let at = 1_000;
  const deltas: number[] = [];
  samples.forEach((_, i) => { const delta = i === 0 ? 0 : (samples[i - 1] as [number, number])[1]; deltas.push(delta); at += delta; });
  return { nodes, startTime: 1_000, endTime: at + (samples.at(-1)?.[1] ?? 0), samples: samples.map(([id]) => id), timeDeltas: deltas };
}
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const report = async (value: unknown, base?: unknown): Promise<ProfileReport> => ProfileReport.parse(await reportOf(readProfile(bytesOf(value), 'given'), { file: 'given', base: base === undefined ? undefined : { tree: readProfile(bytesOf(base), 'base'), name: 'base' } }));

const APP = '/site/wwwroot/lib/store.js', DEP = '/site/wwwroot/node_modules/@acme/sql/index.js';
// 1 root, 2 idle, 3 handler (app), 4 query (dependency), 5 readFileSync, 6 gc, 7 program
const SERVER: Call = { name: '(root)', below: [{ name: '(idle)' }, { name: 'handler', url: APP, line: 12, below: [{ name: 'query', url: DEP, line: 3, below: [{ name: 'readFileSync', url: 'node:fs', line: 440 }] }] }, { name: '(garbage collector)' }, { name: '(program)' }] };
const RUN = [[2, 100_000], [3, 50_000], [4, 20_000], [5, 600_000], [6, 30_000], [3, 100_000], [2, 50_000], [3, 10_000], [7, 40_000]] as const;

test('self, total, categories, packages, the hot path and the longest stretch of a profile are those of its samples', async () => {
  const one = await report(cpu(SERVER, RUN));
  assert.equal(one.idle, 150_000);
  assert.equal(one.busy, 850_000);
  assert.deepEqual(Object.fromEntries(one.categories.map(({ category, self }) => [category, self])), { node: 600_000, app: 160_000, idle: 150_000, program: 40_000, gc: 30_000, dependency: 20_000 });
  const handler = one.functions.find(({ name }) => name === 'handler');
  assert.deepEqual([handler?.self, handler?.total, handler?.line], [160_000, 780_000, 12]);
  assert.deepEqual(one.packages, [{ name: '@acme/sql', self: 20_000, total: 620_000 }]);
  assert.equal(one.hot?.sentence, '`handler` in `lib/store.js:12` takes 95.3 % of the CPU time (810 ms of 850 ms), most of it in the synchronous file call `query`.');
  assert.equal(one.hot.sign, 'sync-io');
  assert.deepEqual(one.stretches.map(({ atMs, forMs }) => [atMs, forMs]), [[100, 800]]);
  assert.match(one.stretches[0]?.sentence ?? '', /^For 800 ms .*`handler` in `lib\/store\.js:12` had 100 %/);
});

test('findings carry the ids of the causes, and none where the app was idle', async () => {
  assert.deepEqual(findingsOf(await report(cpu(SERVER, RUN)), '').map(({ id }) => id), ['event-loop-blocked', 'cpu-saturated', 'cpu-profile-summary']);
  const idle = await report(cpu(SERVER, [[2, 900_000], [3, 5_000], [2, 100_000]]));
  assert.deepEqual(findingsOf(idle, '').map(({ id }) => id), ['cpu-profile-summary']);
  const collecting = await report(cpu(SERVER, [[3, 5_000], [6, 95_000], [2, 1_000], [3, 5_000], [6, 95_000], [2, 100_000]]));
  assert.ok(findingsOf(collecting, '').some(({ id }) => id === 'gc-thrashing'));
  assert.equal(collecting.hot?.sign, 'gc');
  assert.equal(findingsOf(await report(cpu(SERVER, [[2, 1_000]])), '')[0]?.title, 'Nothing of the app ran while the profile was taken');
});

test('what calls itself counts once in total; what V8 built into its caller is given back by the lines', async () => {
  const deep = await report(cpu({ name: '(root)', below: [{ name: 'walk', url: APP, line: 1, below: [{ name: 'walk', url: APP, line: 1, below: [{ name: 'walk', url: APP, line: 1 }] }] }] }, [[2, 10], [3, 20], [4, 70]]));
  assert.deepEqual([deep.functions[0]?.self, deep.functions[0]?.total, deep.hot?.sign], [100, 100, 'recursion']);
  const inlined = await report(cpu({ name: '(root)', below: [{ name: 'loop', url: APP, line: 40, ticks: [[9, 90], [41, 10]], below: [{ name: 'get total', url: APP, line: 7 }] }] }, Array.from({ length: 100 }, () => [2, 1_000] as const)));
  assert.equal(inlined.hot?.sign, 'getter');
  assert.equal(inlined.functions.find(({ name }) => name === 'get total')?.self, 90_000);
});

test('source maps give a minified function its name, file and line; without one it is said', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diag-profile-'));
  try {
    const source = 'export const first = 1;\n\nexport function computeInvoice(lines) {\n  return lines.map((line) => line * 2);\n}\n';
    const { code, map } = await transform(source, { minify: true, sourcemap: 'external', sourcefile: 'src/invoice.ts', format: 'cjs' });
    await writeFile(join(folder, 'app.js'), `${code}//# sourceMappingURL=app.js.map\n`);
    await writeFile(join(folder, 'app.js.map'), map);
    const column = code.indexOf('function') >= 0 ? code.search(/function \w+\(\w+\)\{return \w+\.map/) : 0;
    const profile = (url: string) => { const made = cpu({ name: '(root)', below: [{ name: 'c', url, line: 1 }] }, [[2, 100_000]]); ((made['nodes'] as { callFrame: { columnNumber: number } }[])[1] as { callFrame: { columnNumber: number } }).callFrame.columnNumber = column + 'function '.length; return made; };
    const mapped = await report(profile(pathToFileURL(join(folder, 'app.js')).href));
    assert.deepEqual([mapped.hot?.function.name, mapped.hot?.function.line, mapped.hot?.function.file?.endsWith('src/invoice.ts')], ['computeInvoice', 3, true]);
    const bare = await report(profile('/nowhere/app.min.js'));
    assert.equal(bare.hot?.function.minified, true);
    assert.match(bare.notes.join(), /keep their short names/);
  } finally { await rm(folder, { recursive: true }); }
});

test('a comparison tells shares before and after; the flame graph lays out, finds, and differs', async () => {
  const before = cpu(SERVER, [[3, 900_000], [5, 100_000]]), after = cpu(SERVER, [[3, 100_000], [5, 900_000]]);
  const one = await report(after, before);
  assert.deepEqual(one.change?.functions.map(({ name, before: was, after: is }) => [name, was, is]), [['handler', 0.9, 0.1], ['readFileSync', 0.1, 0.9]]);
  const base = (await report(before)).tree;
  const flame = flameOf(one.tree, 'left-heavy');
  const at = (depth: number, x: number) => one.tree.frames[flame.frame[boxAt(flame, depth, x) ?? -1] ?? -1]?.name;
  assert.deepEqual([at(0, 1), at(1, 1), at(2, 1), at(3, 1), at(3, 950_000)], ['(root)', 'handler', 'query', 'readFileSync', undefined]);
  assert.ok(Math.abs((differenceOf(flame, one.tree, base)[2] as number) - 0.8) < 1e-9);
  assert.equal(matchedShare(flame, matchesOf(one.tree.frames, 'READFILE') as Uint8Array), 0.9);
  const timed = flameOf((await report(cpu(SERVER, RUN))).tree, 'time');
  assert.deepEqual(Array.from(timed.rows[1] ?? [], (box) => [timed.from[box], timed.span[box]]), [[0, 100_000], [100_000, 670_000], [770_000, 30_000], [800_000, 100_000], [900_000, 50_000], [950_000, 10_000], [960_000, 40_000]]);
});

test('a tree beyond the bound keeps its sums: what is folded stands with its caller and is counted', () => {
  const tree = readProfile(bytesOf(Array.from({ length: 500 }, (_, i) => `main;part${i % 50};leaf${i} ${i + 1}`).join('\n')), 'x.txt');
  const columns = columnsOf(tree, 60);
  assert.equal(columns.frame.length, 60);
  assert.equal(columns.foldedNodes, tree.count - 60);
  assert.equal(columns.self.reduce((sum, one) => sum + one, 0), 500 * 501 / 2);
});

test('pprof and speedscope are written and read back with the same sums', async () => {
  const tree = readProfile(bytesOf(cpu(SERVER, RUN)), 'given');
  for (const written of [writePprof(tree), bytesOf(writeSpeedscope(tree, 'given'))]) {
    const back = await reportOf(readProfile(written, 'back'), { file: 'back' });
    assert.deepEqual([back.busy, back.idle, back.functions[0]?.name, back.functions[0]?.self], [850_000, 150_000, 'readFileSync', 600_000]);
  }
});

test('perf script, collapsed stacks and a flight recording are read, names of V8 too', async () => {
  const perf = await report('node 71 10.000000:     101 cpu-clock:u: \n\t    3f20 LazyCompile:*handle /site/wwwroot/app.js:12+0x3c (/tmp/perf-71.map)\n\t    1100 uv_run+0x10 (/usr/bin/node)\n\nnode 71 10.010000:     101 cpu-clock:u: \n\t    3f20 JS:~parse file:///site/wwwroot/lib/read.js:4:9 (/tmp/perf-71.map)\n\n');
  assert.deepEqual([perf.format, perf.unit, perf.functions.find(({ name }) => name === 'handle')?.line, perf.functions.find(({ name }) => name === 'parse')?.file, perf.modules.some(({ category }) => category === 'native')], ['perf', 'us', 12, 'file:///site/wwwroot/lib/read.js', true]);
  const collapsed = await report('main;handle (/app/a.js:3:1);parse (/app/b.js:9:1) 30\nmain;handle (/app/a.js:3:1) 10\nnot a stack\n');
  assert.deepEqual([collapsed.busy, collapsed.hot?.function.name, collapsed.hot?.function.line, collapsed.notes.length], [40, 'parse', 9, 1]);
  const java = await reportOf(readJfrPrint('jdk.ExecutionSample {\n  startTime = 1\n  stackTrace = [\n    java.util.HashMap.get(Object) line: 5\n    com.acme.Store.find(String) line: 41\n  ]\n}\n'), { file: 'a.jfr' });
  assert.match(java.hot?.sentence ?? '', /`com\.acme\.Store\.find\(String\)` in `com\.acme\.Store:41`/);
});

test('an allocation profile names who made the bytes that live', async () => {
  const frame = (functionName: string, url: string, lineNumber: number) => ({ functionName, url, lineNumber, columnNumber: 0, scriptId: '1' });
  const one = await report({ head: { callFrame: frame('(root)', '', -1), selfSize: 0, id: 1, children: [{ callFrame: frame('remember', APP, 8), selfSize: 3_145_728, id: 2, children: [] }, { callFrame: frame('(V8 API)', '', -1), selfSize: 1_048_576, id: 3, children: [] }] }, samples: [] });
  assert.match(one.hot?.sentence ?? '', /^`remember` in `lib\/store\.js:9` made 75 % of the bytes that were alive \(3 MiB of 4 MiB\)/);
  assert.equal(findingsOf(one, '')[0]?.id, 'heap-profile-summary');
});

test('a profile that is cut off tells what is whole and says so; what is none is refused in words', async () => {
  const text = JSON.stringify(cpu(SERVER, RUN));
  const cut = await report(text.slice(0, text.indexOf('"timeDeltas"') + 40));
  assert.match(cut.notes.join(), /cut off/);
  assert.equal(cut.hot?.function.name, 'handler');
  const samples = (cpu(SERVER, RUN)['nodes'] as { id: number; children: number[] }[]);
  (samples[1] as { children: number[] }).children = [1];
  assert.match((await report({ nodes: samples, samples: [99], timeDeltas: [1], startTime: 0, endTime: 1 })).notes.join(' '), /no time or no stack/);
  for (const bad of ['', '   ', '{"a":1}', '{"nodes":[]}', 'hello there', '\u001f\u008b', '\n\u0005', '{"head":3}', '{"$schema":"https://www.speedscope.app/x"}']) await assert.rejects(async () => { await report(bad); }, { code: 'PROFILE_UNREADABLE' }, JSON.stringify(bad));
});

test('damaged profiles of every format end in a report or a clear error', async () => {
  const tree = readProfile(bytesOf(cpu(SERVER, RUN)), 'given');
  const whole = [bytesOf(cpu(SERVER, RUN)), gunzipSync(writePprof(tree)), bytesOf(writeSpeedscope(tree, 'x')), bytesOf('a;b;c 12\na;d 3\n'), bytesOf('node 71 10.000000:     101 cpu-clock:u: \n\t    3f20 LazyCompile:*handle /site/app.js:12 (/tmp/perf-71.map)\n\n')];
  for (let seed = 1; seed <= 400; seed += 1) {
    try { ProfileReport.parse(await reportOf(readProfile(mutated(whole, seed), `${seed}`), { file: `${seed}` })); } catch (error) { assert.equal((error as { code?: string }).code, 'PROFILE_UNREADABLE', `seed ${seed}: ${String(error)}`); }
  }
});
