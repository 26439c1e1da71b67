// Owns the tests of opening the platform: the home's layout, identity, and a home that cannot be used.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openPlatform } from '../../src/platform/choose.ts';
import { appInfo } from '../../src/platform/identity.ts';

async function topOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'choose-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const APP_SERVICE = {
  WEBSITE_SITE_NAME: 'shop', WEBSITE_HOSTNAME: 'shop.azurewebsites.net', WEBSITE_INSTANCE_ID: `A1B2C3${'0'.repeat(58)}`,
  COMPUTERNAME: 'LW0SDWK0001', WEBSITE_SKU: 'Standard', WEBSITE_NODE_DEFAULT_VERSION: '~20',
};

test('a new home gets the layout of App Service, an old one keeps what it has', async (t) => {
  const top = await topOf(t);
  const home = join(top, 'shop');
  const first = await openPlatform({ home, env: {}, temp: join(top, 'temp') });
  for (const path of [first.host.folders.logs, first.host.folders.site, first.host.folders.deployments, join(home, 'data/DaaS/Logs'), join(home, 'data/DaaS/Reports'), first.host.folders.own, first.host.folders.temp]) {
    assert.ok((await stat(path)).isDirectory(), path);
  }
  assert.deepEqual(await readdir(first.host.folders.own), [], 'the probe is gone');
  await writeFile(join(home, 'LogFiles', 'a.log'), 'x');
  first.close();
  const second = await openPlatform({ home, env: {}, temp: join(top, 'temp') });
  second.close();
  assert.deepEqual(await readdir(join(home, 'LogFiles')), ['a.log']);
});

test('two homes have two temp folders', async (t) => {
  const top = await topOf(t);
  const [one, two] = await Promise.all(['one', 'two'].map((name) => openPlatform({ home: join(top, name), env: {}, temp: top })));
  assert.notEqual(one?.host.folders.temp, two?.host.folders.temp);
  one?.close();
  two?.close();
});

test('a home that cannot be used says why', async (t) => {
  const top = await topOf(t);
  await writeFile(join(top, 'file'), 'x');
  await assert.rejects(openPlatform({ home: join(top, 'file'), env: {}, temp: top }), { code: 'HOME_UNUSABLE', message: /cannot be made \(E(NOTDIR|EXIST)\)/ });
  // The kernel refuses new folders there even to root.
  await assert.rejects(openPlatform({ home: '/sys/diag-home', env: {}, temp: top }), { code: 'HOME_UNUSABLE', message: /^The home \/sys\/diag-home cannot be used: .*\(E(PERM|ROFS|ACCES)\)/ });
  await mkdir(join(top, 'half', 'data', 'DaaS'), { recursive: true });
  await writeFile(join(top, 'half', 'data', 'DaaS', 'diag'), 'a file where our folder should be');
  await assert.rejects(openPlatform({ home: join(top, 'half'), env: {}, temp: top }), { code: 'HOME_UNUSABLE' });
});

test('on App Service the identity is the platform\'s', () => {
  assert.deepEqual(appInfo(APP_SERVICE, 'C:\\home', 'Windows'), {
    site: 'shop', hostName: 'shop.azurewebsites.net', instance: 'a1b2c3', machine: 'LW0SDWK0001', os: 'Windows', plan: 'Standard', runtime: 'Node 20',
  });
});

test('elsewhere site and instance come from folder and machine, and stay the same', () => {
  const info = appInfo({}, '/srv/shop', 'Linux');
  assert.equal(info.site, 'shop');
  assert.match(info.instance, /^[0-9a-f]{6}$/);
  assert.deepEqual(info, appInfo({ WEBSITE_SITE_NAME: ' ' }, '/srv/shop', 'Linux'));
  assert.equal(appInfo({}, '/tmp/.home', 'Linux').site, hostname());
});

test('an instance id that is no file name is never one', () => {
  for (const id of ['../../etc/passwd', '..', 'a/b', '\u0000x', 'å']) assert.match(appInfo({ WEBSITE_INSTANCE_ID: id }, '/srv/shop', 'x').instance, /^[a-z0-9]{6}$/, id);
});
