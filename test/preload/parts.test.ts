// Tests the parts of the preload: where it stays out, its buckets against the contract, and that names without end stay bounded.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { described } from '../../src/preload/failures.ts';
import { Guard, guarded } from '../../src/preload/guarded.ts';
import { homeOf, reasonToStayOut } from '../../src/preload/guards.ts';
import { limitOf } from '../../src/preload/heap-room.ts';
import { BUCKETS, Durations, bucketOf } from '../../src/preload/latency.ts';
import { Loop } from '../../src/preload/loop.ts';
import { fold, hashPath, hashed } from '../../src/preload/paths.ts';
import { Patterns } from '../../src/preload/patterns.ts';
import { Routes } from '../../src/preload/routes.ts';
import { Sources, placeIn } from '../../src/preload/sources.ts';
import { SeenStacks } from '../../src/preload/stack.ts';
import { VitalSigns } from '../../src/preload/vitals.ts';
import { bucketMiddleMs } from '../../src/shared/app-link.ts';
import { waitFor } from '../support/wait.ts';

const SITE = { WEBSITE_SITE_NAME: 'shop', HOME: 'C:\\home' };
const APP = ['node', 'C:\\home\\site\\wwwroot\\server.js'];

test('it stays out of everything that is not the app', () => {
  const out = (env: Record<string, string>, argv = APP, isMainThread = true): string | undefined => reasonToStayOut({ env: { ...SITE, ...env }, argv, isMainThread });
  assert.equal(out({}), undefined);
  assert.equal(out({ npm_lifecycle_event: 'start' }), undefined);
  assert.equal(out({ DIAG_PRELOAD: 'off' }), 'DIAG_PRELOAD');
  assert.equal(out({}, APP, false), 'a worker thread');
  assert.equal(out({ WEBSITE_IIS_SITE_NAME: '~1shop' }), 'the SCM site');
  assert.equal(out({ WEBJOBS_NAME: 'mail' }), 'a WebJob');
  assert.equal(out({ npm_lifecycle_event: 'postinstall' }), 'a script of npm');
  assert.equal(out({ npm_lifecycle_event: 'build:css' }), 'a script of npm');
  assert.equal(out({ NODE_TEST_CONTEXT: 'child' }), 'a test');
  assert.equal(out({}, ['node']), 'no program');
  for (const program of ['/usr/lib/node_modules/npm/bin/npm-cli.js', 'C:\\npm\\npx-cli.js', '/app/node_modules/.bin/tsc', '/app/node_modules/webpack/bin/webpack.js', '/opt/nodemon.js', 'C:\\home\\SiteExtensions\\AppServiceDiag\\dist\\main.js']) assert.equal(out({}, ['node', program]), 'a tool', program);
  assert.equal(out({}, ['node', '/app/node_modules/.bin/next', 'build']), 'a build');
  assert.equal(out({}, ['node', '/app/node_modules/.bin/next', 'start']), undefined);
  assert.equal(reasonToStayOut({ env: { HOME: '/home/me' }, argv: APP, isMainThread: true }), 'nowhere to report to');
  assert.equal(homeOf({ WEBSITE_SITE_NAME: 'shop', HOME: '/root' }), '/home');
});

test('the middle of a bucket is at most 1 % from every value in it, and the two ends count alike', () => {
  for (let us = 1; us < 2 ** 31; us = Math.ceil(us * 1.003)) {
    const bucket = bucketOf(us);
    assert.ok(bucket < BUCKETS);
    const middle = bucketMiddleMs(bucket) * 1_000;
    assert.ok(Math.abs(middle - us) <= Math.max(0.5, us * 0.01), `${us} µs is told as ${middle}`);
  }
  const durations = new Durations();
  for (const ms of [1, 2, 3, 400, -1, NaN]) durations.add(ms);
  const [p50, p99] = durations.quantiles([0.5, 0.99]);
  assert.ok((p50 ?? 0) >= 0.98 && (p50 ?? 0) <= 1 && (p99 ?? 0) > 396);
  assert.equal(durations.drain().buckets.reduce((sum, [, count]) => sum + count, 0), 6);
  assert.deepEqual(durations.drain(), { count: 0, sumMs: 0, maxMs: 0, buckets: [] });
});

test('routes: pattern, folded path, and a bound for what has none', () => {
  assert.equal(fold('/orders/17/items/3f2504e0-4f89-11d3-9a0c-0305e82c3301'), '/orders/{id}/items/{id}');
  assert.equal(fold('/v1/about-us'), '/v1/about-us');
  const routes = new Routes();
  const route = { path: '/users/:id' };
  assert.equal(routes.of({ method: 'GET', url: '/7', originalUrl: '/api/users/7', baseUrl: '/api', route }, 200, undefined).path, '/api/users/:id');
  assert.equal(routes.of({ method: 'GET', url: '/7', originalUrl: '/v9/users/7', baseUrl: '/v9', route }, 200, undefined).path, '/v9/users/:id');
  assert.equal(routes.of({ method: 'GET', url: '/wp-login.php' }, 404, undefined).path, '(paths not found)');
  for (let i = 0; i < 5_000; i += 1) routes.of({ method: 'GET', url: `/word${'abcdefghij'[i % 10]}${String(i).split('').map((d) => 'qrstuvwxyz'[Number(d)]).join('')}?key=${i}` }, 200, undefined).statuses.add(200);
  assert.ok([...routes.all].length <= 301);
  assert.ok(routes.unnamed > 4_000);
  assert.equal(routes.of({ method: 'GET', url: '/one-more' }, 200, undefined).path, '(other routes)');
});

test('a callback that throws hurts nobody, and is switched off after a few times', () => {
  let calls = 0;
  const call = guarded(() => { calls += 1; throw new Error('ours'); });
  for (let i = 0; i < 20; i += 1) call();
  assert.equal(calls, 5);
  const guard = new Guard();
  guard.caught(new Proxy({}, { get() { throw new Error('no'); }, getPrototypeOf() { throw new Error('no'); } }));
  assert.equal(guard.isOff, false);
});

test('whatever is thrown can be described', () => {
  assert.deepEqual(described('text'), { type: 'string', message: 'text', frames: [] });
  assert.equal(described(undefined).type, 'undefined');
  assert.equal(described(new Proxy(new Error('x'), { get() { throw new Error('no'); } })).type, 'unreadable');
  assert.equal(described(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })).type, 'Error ECONNREFUSED');
  assert.ok(described(new Error('here')).frames[0]?.includes('parts.test'));
});

test('of the stacks of a stall the one whose function of the app was there most often is told, with where it was last', () => {
  const frame = (functionName: string, lineNumber: number, url = 'file:///app/a.js') => ({ functionName, url, lineNumber });
  const stacks = new SeenStacks();
  stacks.add([frame('', 0, '')]);                              // the loop was idle: only what asks is there
  assert.deepEqual(stacks.hottest, []);
  stacks.add([frame('rare', 1), frame('outer', 9)]);
  stacks.add([frame('', 0, ''), frame('busy', 4), frame('outer', 9)]);
  stacks.add([frame('get performance', 7, 'node:internal/x'), frame('busy', 5), frame('outer', 9)]);
  assert.deepEqual(stacks.hottest, ['get performance (node:internal/x:8)', 'busy (/app/a.js:6)', 'outer (/app/a.js:10)']);
});

test('the numbers of a path tell routes apart as the folded text does', () => {
  const parts = ['', 'v1', 'users', '17', '+4.5', '2024-01-02', '2024-01-02T10:00Z', 'a1b2c3d4e5f60718', '0xdeadbeef01234', 'item-12', 'item_7', 'x-a1b2c3d4e5f6', 'about-2024-us', '3f2504e0-4f89-11d3-9a0c-0305e82c3301', '{3f2504e0-4f89-11d3-9a0c-0305e82c3301}', 'tokenTOKENtoken12345~=._-x', 'été2', 'b2b', 'x86', 't1', '12t'];
  const paths = parts.flatMap((a) => parts.map((b) => `/${a}/${b}`));
  const numberOf = (url: string): string => { hashPath('GET', url); return `${hashed.one} ${hashed.two}`; };
  const texts = new Map<string, string>();
  for (const path of paths) {
    const folded = fold(path);
    const number = numberOf(path);
    assert.equal(texts.get(number) ?? folded, folded, `${path} has the numbers of another route`);
    texts.set(number, folded);
    assert.equal(numberOf(`${path}?key=7`), number);
  }
  assert.equal(texts.size, new Set(paths.map(fold)).size, 'one route has several numbers');
});

test('frames are mapped as esbuild maps them, and no map is read from elsewhere', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'preload-sources-'));
  try {
    await writeFile(join(folder, 'cart.ts'), `interface Cart { readonly items: string[] }\n\nexport function firstItem(cart: Cart | undefined): string {\n  const { length } = String(cart);\n  if (length > 0 && cart === undefined) throw new Error('the cart is gone');\n  return cart?.items[0] ?? '';\n}\n`);
    await writeFile(join(folder, 'app.ts'), `import { firstItem } from './cart.ts';\nexport const run = (): string => {\n  return firstItem(undefined);\n};\n`);
    await build({ entryPoints: [join(folder, 'app.ts')], outfile: join(folder, 'out/app.cjs'), bundle: true, minify: true, format: 'cjs', platform: 'node', sourcemap: 'linked' });
    const { run } = createRequire(import.meta.url)(join(folder, 'out/app.cjs')) as { run(): string };
    const prepare = Error.prepareStackTrace;
    Error.prepareStackTrace = (error, frames) => `${String(error)}\n${frames.map((frame) => `    at ${String(frame)}`).join('\n')}`;        // as V8 writes: tsx maps by itself
    let frames: string[] = [];
    try { run(); } catch (error) { ({ frames } = described(error)); } finally { Error.prepareStackTrace = prepare; }
    assert.match(frames[0] ?? '', /out\/app\.cjs:\d+:\d+/);
    const sources = await new Sources().of(frames.slice(0, 2));
    assert.match(sources?.[0] ?? '', /\(.*\/cart\.ts:5:\d+\)$/);
    assert.match(sources?.[1] ?? '', /\(.*\/app\.ts:3:\d+\)$/);
    await writeFile(join(folder, 'evil.js'), `x();\n//# sourceMappingURL=../../etc/passwd`);
    assert.equal(await new Sources().of([`x (${join(folder, 'evil.js')}:1:1)`]), undefined);
    assert.equal(placeIn('!!,AAAA', 0, 5), undefined);
    assert.equal(placeIn('g'.repeat(100), 0, 5), undefined);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the heap ends where its old generation ends: by the flag, else without the share of the young one', () => {
  const mib = (n: number): number => n * 2 ** 20;
  const table: readonly (readonly [readonly string[], string, number, number, number])[] = [
    [['--max-old-space-size=64'], '', 112, 20, 64],            // wholes as Node 20 and 24 tell them
    [[], '--require=/x.js --max_old_space_size=256', 448, 24, 256],
    [['--max-old-space-size=512'], '--max-old-space-size=256', 560, 20, 512],
    [['--max-old-space-size=0', '--max-old-space-size=1e3'], '', 4_288, 24, 4_096],
    [[], '', 4_144, 20, 4_049],
    [['--max-old-space-size=99999'], '', 4_144, 20, 4_049],    // more than V8 says: it was not taken
  ];
  assert.deepEqual(table.map(([flags, options, whole, line]) => Math.round(limitOf(flags, options, mib(whole), line) / 2 ** 20)), table.map((row) => row[4]));
});

test('a path is of the pattern that Fastify would find, and of none where that is not certain', async () => {
  const patterns = new Patterns();
  patterns.attach();
  const { default: fastify } = await import('fastify');
  const app = fastify();
  const asked: string[] = [];
  const paths = ['/users/:id', '/users/me', '/users/:id/orders/:order', '/users/:id/orders', '/files/*', '/files/:name', '/v1/', '/', '/items/:a-:b', '/items/list', '/dates/2024-01-02', '/dates/:day', '/:lang/help', '/numbers/:n(^\\d+$)'];
  for (const path of paths) app.get(path, async (request) => { asked.push(request.routeOptions.url ?? ''); return ''; });
  app.register(async (inner) => { inner.post('/all', async () => ''); }, { prefix: '/admin/:shop' });
  app.get('/', { constraints: { host: 'other.example' } }, async () => '');
  try {
    const urls = ['/users/17', '/users/me', '/users/anna', '/users/17/orders', '/users/17/orders/4711', '/users/17/orders/', '/users//orders', '/users/', '/users', '/files/', '/files/a/b/c', '/files/report', '/v1/', '/v1', '/', '/de/help', '/users/help', '/none/of/them'];
    for (const url of urls) {
      asked.length = 0;
      await app.inject(url);
      assert.equal(patterns.of('GET', fold(url)), asked[0], url);
    }
    for (const url of ['/items/1-2', '/items/list', '/dates/2024-01-02', '/dates/7', '/numbers/5']) assert.equal(patterns.of('GET', fold(url)), undefined, url);
    assert.deepEqual([patterns.of('HEAD', '/users/{id}'), patterns.of('POST', '/admin/x/all'), patterns.of('PUT', '/users/{id}')], ['/users/:id', '/admin/:shop/all', undefined]);
    const second = fastify();
    second.get('/users/:name', async () => '');
    assert.equal(patterns.of('GET', '/users/{id}'), undefined);    // of which of the two it is cannot be told
    assert.equal(patterns.of('GET', '/files/x'), '/files/:name');
  } finally {
    await app.close();
  }
});

test('collections are told by kind, as many and as long as an ordinary observer of Node is told, which goes on hearing what it hears', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (how?: { type: 'minor' }) => void;
  let large = 0;
  const vitals = new VitalSigns(() => { large += 1; });
  const NAMES: Readonly<Record<number, string>> = { 1: 'scavenge', 4: 'mark-sweep' };
  const told = new Map<string, { count: number; ms: number }>();
  const ours = new Map<string, { count: number; ms: number }>();
  const add = (to: typeof told, kind: string, count: number, ms: number): void => { const before = to.get(kind) ?? { count: 0, ms: 0 }; to.set(kind, { count: before.count + count, ms: before.ms + ms }); };
  let marks = 0;
  const ordinary = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.entryType === 'mark') { marks += 1; continue; }
      add(told, NAMES[(entry as unknown as { detail: { kind: number } }).detail.kind] ?? 'other', 1, entry.duration);
    }
  });
  ordinary.observe({ entryTypes: ['gc', 'mark'] });
  vitals.start();
  for (let i = 0; i < 12; i += 1) { collect(i % 4 === 0 ? undefined : { type: 'minor' }); performance.mark('of the app'); }
  // The ordinary one is told a turn later; what is collected meanwhile comes to it in the next.
  const isSame = (kind: string): boolean => ours.get(kind)?.count === told.get(kind)?.count && Math.abs((ours.get(kind)?.ms ?? NaN) - (told.get(kind)?.ms ?? NaN)) < 1e-6;
  await waitFor('both to be told the same', async () => {
    await turn();
    for (const [kind, count, ms] of vitals.drain().gc) add(ours, kind, count, ms);
    return (ours.get('mark-sweep')?.count ?? 0) >= 3 && (ours.get('scavenge')?.count ?? 0) >= 9 && marks === 12 && isSame('scavenge') && isSame('mark-sweep');
  }, 15_000);
  vitals.stop();
  ordinary.disconnect();
  performance.clearMarks();
  assert.ok(large >= 3 && vitals.totalMs > 0);
});

test('a loop at rest is woken seldom, and what stands still then is told in full', async () => {
  const turns: { lateMs: number; at: number }[] = [];
  let isWatched = false;
  const loop = new Loop({ onTurn: (lateMs) => { turns.push({ lateMs, at: performance.now() }); }, isWatched: () => isWatched });
  const rests = (): Promise<true> => waitFor('a loop at rest', async () => { await sleep(100); loop.drain(); return loop.isResting ? true : undefined; });
  loop.start();
  await waitFor('a turn after which it still rests', async () => {
    await rests();
    turns.length = 0;
    await waitFor('a turn', async () => { await turn(); return turns.length > 0; });
    turns.length = 0;
    return loop.isResting;
  });
  const from = performance.now();
  while (performance.now() - from < 300);
  const blockedMs = performance.now() - from;
  const { lateMs, at } = await waitFor('the turn after it', async () => { await turn(); return turns[0]; });
  assert.ok(lateMs >= blockedMs - 5 && lateMs <= at - from + 100, `${lateMs} of ${blockedMs} ms`);
  assert.ok(!loop.isResting);
  await rests();
  isWatched = true;
  await waitFor('short steps where somebody counts on them', async () => { await turn(); return loop.isResting ? undefined : true; });
  loop.stop();
});
