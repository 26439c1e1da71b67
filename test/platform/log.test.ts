// Owns the tests of the agent's own log: order, stacks, bounds, and that a log that cannot be written stops nothing.
import assert from 'node:assert/strict';
import { mkdtemp, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openLog } from '../../src/platform/log.ts';
import { FakeClock } from '../support/fake-clock.ts';

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'log-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const lines = async (path: string): Promise<Record<string, unknown>[]> => (await readFile(path, 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);

test('lines are JSON, in order, with instant, level and facts; what is below the level is left out', async (t) => {
  const folder = await folderOf(t);
  const log = openLog(folder, { clock: new FakeClock() });
  log.info('started', { port: 8080 });
  log.debug('not shown');
  log.warn('two\nlines');
  await log.flush();
  assert.deepEqual(await lines(join(folder, 'agent.log')), [
    { at: '2026-11-21T02:00:00.000Z', level: 'info', text: 'started', port: 8080 },
    { at: '2026-11-21T02:00:00.000Z', level: 'warn', text: 'two\nlines' },
  ]);
});

test('an error keeps its stack and those of its causes', async (t) => {
  const folder = await folderOf(t);
  const log = openLog(folder);
  log.error('failed', { operation: 'a-1' }, new Error('outer', { cause: new TypeError('inner') }));
  log.error('odd', {}, 'a text');
  await log.flush();
  const [first, second] = await lines(join(folder, 'agent.log'));
  assert.match(String(first?.['error']), /^Error: outer\n +at .*log\.test.*\ncaused by TypeError: inner\n +at /s);
  assert.equal(first?.['operation'], 'a-1');
  assert.equal(second?.['error'], 'a text');
});

test('the file and its predecessor stay within their bound, the newest lines are there', async (t) => {
  const folder = await folderOf(t);
  for (let round = 0; round < 40; round += 1) {
    const log = openLog(folder, { fileBytes: 10_000 });
    for (let i = 0; i < 10; i += 1) log.info(`round ${round} line ${i} ${'x'.repeat(100)}`);
    await log.flush();
  }
  for (const name of ['agent.log', 'agent.1.log']) assert.ok((await stat(join(folder, name))).size <= 10_000, name);
  assert.match(String((await lines(join(folder, 'agent.log'))).at(-1)?.['text']), /^round 39 line 9 /);
});

test('a line of 1 MB is cut and says so', async (t) => {
  const folder = await folderOf(t);
  const log = openLog(folder);
  log.error('x'.repeat(1_000_000));
  await log.flush();
  const [line] = await lines(join(folder, 'agent.log'));
  assert.ok(Number(line?.['cut']) > 1_000_000);
  assert.ok((await stat(join(folder, 'agent.log'))).size < 40_000);
});

test('more lines than the disk takes are lost, counted, and the count is written', async (t) => {
  const folder = await folderOf(t);
  const log = openLog(folder);
  for (let i = 0; i < 5_000; i += 1) log.info(`line ${i}`);
  await log.flush();
  log.info('after');
  await log.flush();
  const kept = await lines(join(folder, 'agent.log'));
  const lost = kept.reduce((sum, line) => sum + Number(line['lost'] ?? 0), 0);
  const own = kept.filter((line) => line['lost'] === undefined).length;
  assert.ok(lost > 0);
  assert.equal(own + lost, 5_001);
});

test('a folder that is not there stops nothing; once it is there, the loss is told', async (t) => {
  const folder = join(await folderOf(t), 'later');
  const log = openLog(folder);
  log.info('lost');
  await log.flush();
  await mkdir(folder);
  log.info('kept');
  await log.flush();
  assert.deepEqual((await lines(join(folder, 'agent.log'))).map((line) => line['lost'] ?? line['text']), ['kept', 1]);
});
