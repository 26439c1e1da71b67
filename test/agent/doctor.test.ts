// Owns the tests of the doctor: what each fact becomes, and what a real machine with its faults says.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CHECKS, examine, type DoctorFacts } from '../../src/agent/doctor/checks.ts';
import { Capability } from '../../src/shared/model.ts';
import { diag } from '../cli/support.ts';
import { agentUnderTest, type AgentUnderTest } from '../support/agent.ts';
import { START_AT } from '../support/fake-clock.ts';

const GIB = 2 ** 30;
const WELL: DoctorFacts = {
  env: { WEBSITE_SITE_NAME: 'shop', WEBSITE_HTTPLOGGING_ENABLED: '1', WEBSITE_SCM_ALWAYS_ON_ENABLED: '1' },
  now: START_AT, os: 'Windows Server 2022', node: { version: 'v20.20.2', arch: 'x64' },
  capabilities: Capability.options.map((id) => ({ id, offer: { yes: true } })),
  samplers: [{ id: 'processes', state: 'good' }, { id: 'requests', state: 'waiting', error: 'no reading yet' }],
  httpLogAt: START_AT - 40_000, home: { path: 'D:\\home', freeBytes: 8 * GIB, totalBytes: 10 * GIB }, temp: { path: 'D:\\local\\Temp', freeBytes: 9 * GIB },
  probe: { skewMs: 120, tookMs: 14 }, lead: { here: true, since: START_AT - 60_000 }, webJob: { there: true, disabled: false },
};
const missing = (id: Capability, because: string): DoctorFacts['capabilities'] => WELL.capabilities.map((one) => (one.id === id ? { id, offer: { yes: false, because } } : one));

test('where everything is well every check says so', () => {
  const checks = examine(WELL);
  assert.deepEqual(checks.filter((c) => c.severity !== 'good'), []);
  assert.equal(checks.length, CHECKS.length + Capability.options.length);
  assert.ok(checks.every((c) => /^[A-Z0-9].*\.$/.test(c.says)), 'a sentence each');
  assert.equal(new Set(checks.map((c) => c.id)).size, checks.length);
});

const ROWS: readonly (readonly [string, Partial<DoctorFacts>, string, string, RegExp])[] = [
  ['Node too old', { node: { version: 'v18.19.0', arch: 'x64' } }, 'node', 'critical', /v18\.19\.0.*needs 20/],
  ['Node with 32 bits', { node: { version: 'v20.1.0', arch: 'ia32' } }, 'node', 'warning', /32 bits/],
  ['a home that is full', { probe: { fault: 'ENOSPC: no space left on device', isFull: true } }, 'home-write', 'critical', /is full/],
  ['a home that may not be written', { probe: { fault: 'EROFS: read-only file system', isFull: false } }, 'home-write', 'critical', /EROFS/],
  ['a slow share', { probe: { skewMs: 0, tookMs: 2_400 } }, 'home-write', 'warning', /2\.4 s/],
  ['little room', { home: { path: 'D:\\home', freeBytes: 100 * 2 ** 20, totalBytes: 10 * GIB } }, 'home-room', 'warning', /100 MiB of 10(\.0)? GiB/],
  ['little of a large room', { home: { path: 'D:\\home', freeBytes: 2 * GIB, totalBytes: 100 * GIB } }, 'home-room', 'warning', /2 ?%/],
  ['room that is not told', { home: { path: 'D:\\home' } }, 'home-room', 'cannot-tell', /does not say/],
  ['a clock that is ahead', { probe: { skewMs: 7_000, tookMs: 10 } }, 'clock', 'warning', /7 s ahead/],
  ['a clock that is far behind', { probe: { skewMs: -7_200_000, tookMs: 10 } }, 'clock', 'critical', /2 h.*behind/],
  ['no room for a dump', { temp: { path: 'D:\\local\\Temp', freeBytes: 2 ** 20 } }, 'temp-room', 'warning', /1(\.0)? MiB/],
  ['HTTP logging off', { env: { ...WELL.env, WEBSITE_HTTPLOGGING_ENABLED: '0' } }, 'http-log', 'critical', /logging is off/],
  ['an HTTP log that stands still', { httpLogAt: START_AT - 3 * 3_600_000 }, 'http-log', 'warning', /3 h/],
  ['Always On off', { env: { ...WELL.env, WEBSITE_SCM_ALWAYS_ON_ENABLED: '0' } }, 'always-on', 'warning', /20 minutes/],
  ['Always On not told', { env: { WEBSITE_SITE_NAME: 'shop' } }, 'always-on', 'cannot-tell', /does not say/],
  ['no WebJob', { webJob: { there: false, disabled: false } }, 'web-job', 'warning', /not registered/],
  ['a stopped WebJob', { webJob: { there: true, disabled: true } }, 'web-job', 'warning', /is stopped/],
  ['a site run from a package', { env: { ...WELL.env, WEBSITE_RUN_FROM_PACKAGE: 'https://account.blob.core.windows.net/x.zip?sig=secret' } }, 'wwwroot', 'info', /^(?!.*secret).*read-only.*package/],
  ['a site run from a local cache', { env: { ...WELL.env, WEBSITE_LOCAL_CACHE_OPTION: 'Always' } }, 'wwwroot', 'info', /local cache/],
  ['another observer', { lead: { here: false, since: START_AT - 5_000, holder: 4711 } }, 'observer', 'info', /process 4711/],
  ['a lease that cannot be kept', { lead: { here: true, since: START_AT, fault: 'ENOSPC' } }, 'observer', 'warning', /ENOSPC/],
  ['a sampler that fails', { samplers: [{ id: 'processes', state: 'failing', error: 'Access is denied.' }] }, 'samplers', 'warning', /Access is denied/],
  ['gdb that is missing', { capabilities: missing('memory-dump', 'gcore is not installed') }, 'can-memory-dump', 'warning', /gcore is not installed\.$/],
  ['koffi that cannot be loaded', { capabilities: missing('processes', 'koffi cannot be loaded: not a valid Win32 application.') }, 'can-processes', 'critical', /koffi.*application\.$/],
];
for (const [what, facts, id, severity, says] of ROWS) {
  test(`${what}: ${severity}, with its reason`, () => {
    const checks = examine({ ...WELL, ...facts });
    const off = checks.filter((c) => c.severity !== 'good');
    assert.deepEqual(off.map((c) => [c.id, c.severity]), [[id, severity]], 'nothing else is told');
    assert.match(off[0]?.says ?? '', says);
    if (severity === 'critical' || severity === 'warning') assert.match(off[0]?.remedy ?? '', /^[A-Z].*\.$/, 'and what to do');
    assert.equal(checks[0]?.id, id, 'the worst stands first');
  });
}

test('where there is no App Service its settings are not asked for', () => {
  const { httpLogAt, webJob, ...rest } = WELL;
  void httpLogAt; void webJob;
  const checks = examine({ ...rest, env: {} });
  assert.deepEqual(checks.filter((c) => c.severity !== 'good').map((c) => [c.id, c.severity]), [['http-log', 'warning']]);
  assert.ok(!checks.some((c) => ['always-on', 'web-job', 'wwwroot'].includes(c.id)));
});

let given: AgentUnderTest;
before(async () => { given = await agentUnderTest(); });
after(async () => { await given.stop(); });

test('a real agent finds its log, its room and its clock, and leaves nothing behind', async () => {
  const { checks } = await given.agent.doctor();
  const of = (id: string): string | undefined => checks.find((c) => c.id === id)?.severity;
  assert.deepEqual(['node', 'home-write', 'clock', 'http-log', 'observer'].map(of), ['good', 'good', 'good', 'good', 'good']);
  const log = join(given.home, 'LogFiles/http/RawLogs/a1b2c3-202611210200.log');
  const yesterday = new Date(Date.now() - 86_400_000);
  await utimes(log, yesterday, yesterday);
  assert.equal((await given.agent.doctor()).checks.find((c) => c.id === 'http-log')?.severity, 'warning');
});

test('the command ends with 1 when a check is as bad as asked, and looks at a transform without an agent', async () => {
  const top = await mkdtemp(join(tmpdir(), 'doctor-'));
  try {
    const home = join(top, 'home');
    await mkdir(home);
    const asked = await diag(['doctor', '--home', home, '--fail-on', 'warning', '--json']);
    assert.equal(asked.code, 1, asked.stderr);
    const { checks } = JSON.parse(asked.stdout) as { checks: { id: string; severity: string }[] };
    assert.equal(checks.find((c) => c.id === 'http-log')?.severity, 'warning');
    const calm = await diag(['doctor', '--home', home]);
    assert.equal(calm.code, 0);
    assert.match(calm.stdout, /^warning {2}HTTP log: There is no HTTP log/m);
    const bad = join(top, 'bad.xdt');
    await writeFile(bad, '<configuration>\n<sites>\n</configuration>');
    const refused = await diag(['doctor', 'xdt', bad]);
    assert.deepEqual([refused.code, refused.stderr], [1, '']);
    assert.match(refused.stdout, /bad\.xdt:3 {2}it is not well-formed XML/);
    assert.equal((await diag(['doctor', 'xdt', join(top, 'nosuch.xdt')])).code, 2);
    const good = await diag(['doctor', 'xdt', join(import.meta.dirname, '../../applicationHost.xdt'), '--json']);
    assert.deepEqual([good.code, (JSON.parse(good.stdout) as { faults: unknown[] }).faults], [0, []]);
  } finally {
    await rm(top, { recursive: true, force: true });
  }
});
