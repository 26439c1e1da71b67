// Owns the comparison with Chrome's own heap engine: fetches chrome-devtools-frontend into a temporary folder, runs its worker's code over made-up and real snapshots, and writes the golden digests that the tests hold us to.
import { build, type Plugin } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { digests, type Numbers } from '../test/analyze/heap/digest.ts';
import { numbersOfFile } from '../test/analyze/heap/ours.ts';
import { HEAPS, randomHeap } from '../test/analyze/heap/random-heap.ts';

const root = resolve(import.meta.dirname, '..');
const golden = join(root, 'test/golden/heap-devtools.json');
const VERSION = '1.0.1705227';
/** A heap of many kinds of things, in every Node that lies in .cache/node. */
const PROGRAM = `class Session{constructor(i){this.id=i;this.opts={a:i,b:{c:i}}}}
const cache=new Map();for(let i=0;i<5000;i++)cache.set(i,new Session(i));
const wm=new WeakMap();const keys=[];for(let i=0;i<300;i++){const k={k:i};keys.push(k);wm.set(k,{v:i,big:'x'+i})}
const em=new (require('events'))();em.setMaxListeners(0);for(let i=0;i<100;i++)em.on('x',()=>i);
global.hold=[cache,wm,keys,em,Buffer.alloc(1e6),new Promise(()=>{}),setInterval(()=>{},1e5),require('http'),require('zlib').createGzip()];
let rope='';for(let i=0;i<1000;i++)rope+='abc'+i;global.rope=rope;global.sl='y'.repeat(5000).slice(5,1000);
require('v8').writeHeapSnapshot(process.argv[1]);process.exit()`;

interface Engine { numbers(text: string): Promise<Numbers> }
interface Snapshot { nodeCount: number; nodeFieldCount: number; nodeSelfSizeOffset: number; nodes: { getValue(at: number): number }; retainedSizes: Float64Array; nodeDistances: Int32Array; dominatorsTree: Uint32Array; initialize(port: MessagePort): Promise<void>; getAggregatesByClassKey(sorted: boolean, key: string): Record<string, { name: string; count: number; self: number; maxRet: number; distance: number }> }

async function engine(folder: string): Promise<Engine> {
  execFileSync('npm', ['pack', `chrome-devtools-frontend@${VERSION}`], { cwd: folder, stdio: 'ignore' });
  execFileSync('tar', ['xzf', `chrome-devtools-frontend-${VERSION}.tgz`], { cwd: folder });
  const front = join(folder, 'package/front_end');
  await writeFile(join(folder, 'entry.ts'), `export { JSHeapSnapshot, HeapSnapshotProgress, SecondaryInitManager } from '${front}/entrypoints/heap_snapshot_worker/HeapSnapshot.ts'; export { createExpandableBigUint32Array } from '${front}/core/platform/TypedArrayUtilities.ts';`);
  await build({ entryPoints: [join(folder, 'entry.ts')], bundle: true, platform: 'node', format: 'cjs', outfile: join(folder, 'engine.cjs'), target: 'node20', logLevel: 'error', plugins: [withoutPage] });
  // Node 20 does not have it yet; the engine expects it.
  (Promise as unknown as { withResolvers?: unknown }).withResolvers ??= () => { let resolve; let reject; const promise = new Promise((a, b) => { resolve = a; reject = b; }); return { promise, resolve, reject }; };
  const made = createRequire(import.meta.url)(join(folder, 'engine.cjs')) as { JSHeapSnapshot: new (profile: unknown, progress: unknown) => Snapshot; HeapSnapshotProgress: new () => unknown; SecondaryInitManager: new (port: MessagePort) => unknown; createExpandableBigUint32Array(): { setValue(at: number, value: number): void } };
  const large = (numbers: readonly number[]): unknown => { const array = made.createExpandableBigUint32Array(); numbers.forEach((value, at) => { array.setValue(at, value); }); return array; };
  return {
    async numbers(text) {
      const profile = JSON.parse(text) as { nodes: number[]; edges: number[] };
      const channel = new MessageChannel();
      new made.SecondaryInitManager(channel.port2);
      const one = new made.JSHeapSnapshot({ ...profile, nodes: large(profile.nodes), edges: large(profile.edges), root_index: 0 }, new made.HeapSnapshotProgress());
      await one.initialize(channel.port1);
      channel.port1.close();
      return {
        nodes: one.nodeCount, shallow: Array.from({ length: one.nodeCount }, (_, node) => one.nodes.getValue(node * one.nodeFieldCount + one.nodeSelfSizeOffset)), retained: one.retainedSizes, distances: one.nodeDistances, dominators: one.dominatorsTree,
        classes: Object.values(one.getAggregatesByClassKey(false, 'allObjects')).map((row) => [row.name, row.count, row.self, row.maxRet, row.distance] as const),
      };
    },
  };
}

/** Translations and the page around are not part of the calculation. */
const withoutPage: Plugin = {
  name: 'without-page',
  setup(b) {
    b.onResolve({ filter: /\.js$/ }, ({ path, resolveDir }) => {
      if (!path.startsWith('.')) return undefined;
      if (/HostRuntime|i18n.i18n|core.(?!platform)|models.(?!heap)/.test(path)) return { path, namespace: 'left-out' };
      const source = join(resolveDir, path).replace(/\.js$/, '.ts');
      return existsSync(source) ? { path: source } : undefined;
    });
    b.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'const f=function(){};const p=new Proxy(f,{get:(t,k)=>k===Symbol.toPrimitive?()=>"":k==="prototype"?f.prototype:p,apply:()=>p,construct:()=>({})});module.exports={i18n:p,TextUtils:p,ObjectWrapper:{ObjectWrapper:class{}},HostRuntime:{HOST_RUNTIME:p},default:p};', loader: 'js' }));
  },
};

const folder = await mkdtemp(join(tmpdir(), 'heap-golden-'));
try {
  const theirs = await engine(folder);
  const made: Record<string, unknown> = {};
  for (const [seed, nodes, detached] of HEAPS) made[`${seed}/${nodes}/${detached}`] = digests(await theirs.numbers(randomHeap(seed, nodes, detached).text));
  await writeFile(golden, `${JSON.stringify(made, undefined, 1)}\n`);
  let wrong = 0;
  for (const version of ['16', '18', '20', '22', '24']) {
    const node = join(root, `.cache/node/${version}/package/bin/node`);
    if (!existsSync(node)) { process.stdout.write(`Node ${version}: not here, not compared\n`); continue; }
    const path = join(folder, `${version}.heapsnapshot`);
    execFileSync(node, ['-e', PROGRAM, path], { stdio: 'ignore' });
    const [a, b] = [digests(await theirs.numbers(await readFile(path, 'utf8'))), digests(numbersOfFile(path))];
    const differ = Object.keys(a).filter((key) => a[key] !== b[key]);
    wrong += differ.length;
    process.stdout.write(`Node ${version}: ${String(a['nodes'])} nodes, ${String(a['classes'])} classes: ${differ.length === 0 ? 'shallow, retained, distances, dominators and classes equal' : `${differ.join(', ')} differ`}\n`);
  }
  process.exitCode = wrong > 0 ? 1 : 0;
} finally {
  await rm(folder, { recursive: true, force: true });
}
