// Owns the proof that the worker is supervised as App Service does: recycles, crashes, failed starts, environment, output.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../support/wait.ts';
import { app, eventOf, events, watch, withService } from './support.ts';

/** No test waits this long: a restart that needs it did not happen at once. */
const NEVER_MS = 600_000;

const text = async (url: string): Promise<string> => (await fetch(url)).text();
const ok = (url: string): Promise<boolean> => fetch(url).then((answer) => answer.ok);

async function output(home: string, stream: 'stdout' | 'stderr'): Promise<Map<string, Buffer>> {
  const folder = join(home, 'LogFiles/Application');
  const names = (await readdir(folder)).filter((name) => name.includes(`-${stream}-`)).sort();
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}

test('SIGTERM from outside is a recycle: a new worker at once, no crash event, no failure counted', async () => {
  await withService({ limits: { backOffMs: NEVER_MS, rapidFailCount: 1 } }, async (service) => {
    const first = watch(service.pid());
    process.kill(first.pid, 'SIGTERM');
    const second = await waitFor('a new worker', () => (service.pid() === first.pid ? undefined : service.pid()));
    await waitFor('the new worker to answer', () => ok(`${service.siteUrl}/cart`));
    assert.notEqual(second, first.pid);
    assert.equal(first.alive(), false);
    await waitFor('two starts in the event log', async () => (await events(service.home)).length === 2);
    assert.deepEqual((await events(service.home)).map(({ id }) => id), [1001, 1001]);
  });
});

test('a crash is event 1002 with pid and exit code, its stack is on stderr, and the worker comes back', async () => {
  await withService({ limits: { backOffMs: 1 } }, async (service) => {
    const first = watch(service.pid());
    const answer = await fetch(`${service.siteUrl}/cart/apply`, { method: 'POST', body: new URLSearchParams({ code: 'GIFT50' }) });
    assert.equal(answer.status, 502);
    const event = await eventOf(service.home, 1002);
    assert.match(event.text, new RegExp(`^Process '${first.pid}' listening on port '\\d+' crashed with exit code '1'\\.$`));
    const [name, bytes] = await waitFor('the stack on disk', async () =>
      [...(await output(service.home, 'stderr'))].find(([, found]) => String(found).includes('Node.js v')));
    assert.match(name, new RegExp(`^RD[0-9A-F]{12}-${first.pid}-stderr-\\d{13}\\.txt$`));
    assert.match(String(bytes), /TypeError: Cannot read properties of undefined \(reading 'percent'\)\n\s+at applyFound \([^)]*lib[/\\]cart\.js:41:/);
    await waitFor('a new worker to answer', () => ok(`${service.siteUrl}/cart`));
  });
});

test('a worker killed by a signal is a crash with the code a shell would report, and the signal by name', async () => {
  await withService({ limits: { backOffMs: 1 } }, async (service) => {
    const { pid } = watch(service.pid());
    process.kill(pid, 'SIGKILL');
    assert.match((await eventOf(service.home, 1002)).text, /crashed with exit code '137' \(signal SIGKILL\)\.$/);
  });
});

test('an app that ends before it listens is event 1000, and stops after the failures allowed', async () => {
  await withService({ app: app('boot-crash'), limits: { backOffMs: 1, rapidFailCount: 3 } }, async (service) => {
    assert.equal((await fetch(service.siteUrl)).status, 503);
    const seen = await waitFor('four events', async () => { const found = await events(service.home); return found.length === 4 ? found : undefined; });
    assert.deepEqual(seen.map(({ id }) => id), [1000, 1000, 1000, 1003]);
    assert.match(seen[0]?.text ?? '', /^Process '\d+' failed to listen on port '\d+': it ended with exit code '12'\.$/);
  });
});

test('an app that never listens is ended at the start limit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'never-listens-'));
  try {
    await writeFile(join(folder, 'server.js'), 'setInterval(() => undefined, 1000);\n');
    await withService({ app: folder, limits: { startLimitMs: 200, rapidFailCount: 1 } }, async (service) => {
      assert.match((await eventOf(service.home, 1000)).text, /^Process '\d+' failed to listen on port '\d+' within 200 ms and is ended\.$/);
      assert.equal((await fetch(service.siteUrl)).status, 503);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a start line in package.json wins over server.js', async () => {
  await withService({ app: app('shell') }, async (service) => {
    assert.equal(await text(service.siteUrl), 'from the start line');
    const { pid } = watch(service.pid());
    process.kill(pid, 'SIGTERM');
    await waitFor('it to be started again', async () => service.pid() !== pid && (await ok(service.siteUrl)));
    assert.deepEqual((await events(service.home)).filter(({ id }) => id !== 1001), []);
  });
});

test('the worker\u2019s environment is that of the site, and knows nothing of the launcher or the agent', async () => {
  process.env['DIAG_TOKEN'] = 'a secret of the agent';
  process.env['npm_config_something'] = 'x';
  try {
    await withService({ app: app('odd') }, async (service) => {
      const seen = JSON.parse(await text(`${service.siteUrl}/environment`)) as Record<string, string>;
      assert.equal(seen['HOME'], service.home);
      assert.match(seen['WEBSITE_INSTANCE_ID'] ?? '', /^[0-9a-f]{64}$/);
      assert.match(seen['COMPUTERNAME'] ?? '', /^RD[0-9A-F]{12}$/);
      const site = ['WEBSITE_SITE_NAME', 'WEBSITE_IIS_SITE_NAME', 'APP_POOL_ID', 'WEBSITE_HOSTNAME', 'REGION_NAME', 'WEBSITE_SKU'];
      assert.deepEqual(site.map((name) => seen[name]), ['contoso-shop', 'contoso-shop', 'contoso-shop', new URL(service.siteUrl).host, 'Local', 'Standard']);
      assert.deepEqual(Object.keys(seen).filter((name) => /^(npm_|DIAG_|LOCAL_|NODE_TEST)/.test(name)), []);
    });
  } finally {
    delete process.env['DIAG_TOKEN'];
    delete process.env['npm_config_something'];
  }
});

test('children of a worker end with it', async () => {
  await withService({ app: app('odd'), limits: { backOffMs: 1 } }, async (service) => {
    const worker = watch(service.pid());
    const child = watch(Number(await text(`${service.siteUrl}/child`)));
    process.kill(worker.pid, 'SIGKILL');
    await waitFor('the child to end', () => !child.alive());
  });
});

test('a change of web.config restarts the app, as on App Service', async () => {
  await withService({ limits: { backOffMs: NEVER_MS } }, async (service) => {
    const first = watch(service.pid());
    await writeFile(join(service.home, 'site/wwwroot/web.config'), '<configuration/>');
    await waitFor('another worker that answers', async () => service.pid() !== first.pid && (await ok(`${service.siteUrl}/cart`)));
    assert.deepEqual((await events(service.home)).filter(({ id }) => id === 1002), []);
  });
});

test('output is kept as the bytes that were written', async () => {
  await withService({ app: app('odd') }, async (service) => {
    await text(`${service.siteUrl}/print`);
    const bytes = await waitFor('the bytes', async () => [...(await output(service.home, 'stdout')).values()].find((b) => b.length >= 4));
    assert.deepEqual([...bytes], [0x66, 0xff, 0x00, 0x0a]);
  });
});

test('output is cut into files of the set size, and the oldest go', async () => {
  await withService({ app: app('odd'), limits: { outputFileBytes: 4_000 } }, async (service) => {
    for (let i = 0; i < 4; i += 1) await text(`${service.siteUrl}/print-much`);
    const files = await waitFor('the last line', async () => {
      const found = await output(service.home, 'stdout');
      return String([...found.values()].at(-1)).includes('\n0049 ') || String([...found.values()].at(-1)).startsWith('0049 ') ? found : undefined;
    });
    assert.ok(files.size <= 20, `${files.size} files`);
    for (const [name, bytes] of files) assert.ok(bytes.length <= 66_000, `${name} has ${bytes.length} bytes`); // one pipe read is never divided
  });
});
