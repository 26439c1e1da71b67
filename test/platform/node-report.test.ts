// Owns the tests of the diagnostic report of an unprepared Node process: its inspector is closed again, others are left alone.
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { FrameReader, connectInspector, inspectorPath } from '../../src/platform/inspector.ts';
import type { ProcessInfo } from '../../src/shared/model.ts';
import { lives } from '../support/alive.ts';
import { realPlatform, type RealPlatform } from '../support/real-platform.ts';
import type { Victim } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';

const never = new AbortController().signal;
let real: RealPlatform;

before(async () => { real = await realPlatform(); });
after(() => real.close());

async function targetOf(pid: number): Promise<ProcessInfo> {
  return await waitFor(`process ${pid} in the list`, async () => (await real.platform.processes(never)).find((one) => one.pid === pid));
}

interface Report { header: { processId: number; event: string }; javascriptStack: { stack?: string[] } }

async function reportOf(victim: Victim): Promise<Report> {
  return JSON.parse(await real.platform.nodeReport(await targetOf(victim.pid), never)) as Report;
}

async function ports(victim: Victim): Promise<string[]> {
  return (await real.platform.openFiles(victim.pid, never)).filter((file) => file.endsWith('LISTEN'));
}

test('an unprepared process gives its report, twice, and its inspector is closed after each', async () => {
  const victim = await real.victim();
  const target = await targetOf(victim.pid);
  assert.deepEqual(real.platform.nodeReportOffered(target), { yes: true });
  for (let round = 0; round < 2; round += 1) {
    assert.equal((await reportOf(victim)).header.processId, victim.pid);
    assert.deepEqual(await ports(victim), []);
  }
  assert.equal((await victim.do('print')).did, 'print');
});

test('a process whose event loop stands still tells where it stands', async () => {
  const victim = await real.victim();
  const [blocking, blocked] = [victim.said('blocking'), victim.said('block')];
  victim.send('block', { ms: 5_000 });
  await blocking;
  const report = await reportOf(victim);
  assert.ok(report.javascriptStack.stack?.some((frame) => frame.includes('block') && frame.includes('victim.mjs')), JSON.stringify(report.javascriptStack));
  await blocked;
  await waitFor('the inspector to close', async () => (await ports(victim)).length === 0);
});

test('an inspector that was open before stays open', async () => {
  const victim = await real.victim({ nodeOptions: ['--inspect=0'] });
  const before = await ports(victim);
  assert.equal(before.length, 1);
  assert.equal((await reportOf(victim)).header.processId, victim.pid);
  assert.deepEqual(await ports(victim), before);
});

test('while somebody else debugs, the target does not wait for us or them', async () => {
  const victim = await real.victim();
  process.kill(victim.pid, 'SIGUSR1');
  const [line = ''] = await waitFor('the inspector', async () => { const open = await ports(victim); return open.length > 0 ? open : undefined; });
  const port = Number(/:(\d+) LISTEN$/.exec(line)?.[1]);
  const other = await connectInspector(port, await waitFor('its path', () => inspectorPath(port, never)), never);
  assert.equal((await reportOf(victim)).header.processId, victim.pid);
  assert.equal(await other.evaluate('6 * 7'), 42);
  await assert.rejects(other.evaluate('nothing.here'), /nothing is not defined/);
  other.hangUp();
  assert.equal((await victim.do('print')).did, 'print');
});

test('a cancel in the middle leaves no open inspector', async () => {
  const victim = await real.victim();
  const abort = new AbortController();
  const target = await targetOf(victim.pid);
  const outcome = assert.rejects(real.platform.nodeReport(target, abort.signal), { code: 'CANCELLED' });
  await waitFor('the inspector to open', async () => (await ports(victim)).length > 0 || victim.stderr().includes('listening'));
  abort.abort();
  await outcome;
  await waitFor('the inspector to close', async () => (await ports(victim)).length === 0);
  assert.equal((await victim.do('print')).did, 'print');
});

test('a program that is not Node, or would die of the signal, is refused and not touched', async () => {
  const victim = await real.victim();
  const sleep = await targetOf(Number((await victim.do('spawn-child', { program: 'sleep' })).pid));
  assert.deepEqual(real.platform.nodeReportOffered(sleep), { yes: false, because: 'sleep is not Node' });
  await assert.rejects(real.platform.nodeReport(sleep, never), { code: 'NODE_REPORT_FAILED', message: /sleep is not Node/ });
  assert.match(real.platform.nodeReportOffered({ ...sleep, name: 'node' }).because ?? '', /SIGUSR1/);
  assert.equal(lives(sleep.pid), true);
});

test('an inspector port that is taken is told, and the target is not bothered', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => { server.close(); });
  const { port } = server.address() as { port: number };
  const victim = await real.victim({ nodeOptions: [`--inspect-port=${port}`] });
  await assert.rejects(reportOf(victim), { code: 'NODE_REPORT_FAILED', message: new RegExp(`port ${port}.* is taken`) });
  assert.equal(victim.stderr(), '');
});

test('an app that handles the signal itself gives no report, and the reason is told', async () => {
  const victim = await real.victim();
  await victim.do('own-signal');
  await assert.rejects(reportOf(victim), { code: 'NODE_REPORT_FAILED', message: /may handle that signal itself/ });
  assert.equal((await victim.do('print')).did, 'print');
});

test('a web server of the app is not taken for an inspector', async () => {
  const victim = await real.victim();
  const { port } = await victim.do('listen');
  assert.equal(await inspectorPath(Number(port), never), undefined);
  assert.equal((await reportOf(victim)).header.processId, victim.pid);
  await new Promise<void>((resolve, reject) => { get({ port: Number(port), host: '127.0.0.1', agent: false }, (answer) => { answer.resume().on('end', resolve); }).on('error', reject); });
});

test('frames are read in any pieces, messages in several frames, and none beyond the bound', () => {
  const long = 'x'.repeat(70_000);
  const stream = Buffer.concat([
    Buffer.from([0x81, 2]), Buffer.from('{}'),
    Buffer.from([0x01, 1]), Buffer.from('a'), Buffer.from([0x89, 1]), Buffer.from('p'), Buffer.from([0x80, 1]), Buffer.from('b'),
    Buffer.from([0x81, 126, 0, 200]), Buffer.from('y'.repeat(200)),
    Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]), Buffer.from(long),
  ]);
  for (const size of [1, 2, 3, 7, 1_000, stream.length]) {
    const texts: string[] = [];
    const pings: string[] = [];
    const reader = new FrameReader((text) => { texts.push(text); }, (payload) => { pings.push(payload.toString()); });
    for (let at = 0; at < stream.length; at += size) assert.equal(reader.push(stream.subarray(at, at + size)), true);
    assert.deepEqual([texts, pings], [['{}', 'ab', 'y'.repeat(200), long], ['p']], `pieces of ${size}`);
  }
  const reader = new FrameReader(() => undefined, () => undefined);
  assert.equal(reader.push(Buffer.from([0x88, 0])), false);
  assert.throws(() => new FrameReader(() => undefined, () => undefined).push(Buffer.from([0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0])), /longer than/);
});
