// Tests deployments as changes: new, changed, torn and temporary status files.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Deployments, deploymentChange } from '../../src/observe/deployments.ts';

const never = new AbortController().signal;
const status = (word: string, more = ''): string => `<?xml version="1.0"?><deployment><id>9fceb02d0ae5</id><author>Ada &amp; Co</author><message>fix cart\n\nlong</message><status>${word}</status><startTime>2026-11-21T01:00:00Z</startTime><endTime>2026-11-21T01:00:09.5Z</endTime><is_temp>False</is_temp>${more}</deployment>`;

test('a status file is a change with its time, author and message', () => {
  assert.deepEqual(deploymentChange('9fceb02d0ae598', status('Success'), 1), {
    id: 'deployment:9fceb02d0ae598', at: Date.UTC(2026, 10, 21, 1, 0, 9, 500), kind: 'deployment', level: 'neutral', title: 'Deployment 9fceb02d0… by Ada & Co finished', detail: 'fix cart',
  });
  assert.deepEqual([deploymentChange('a', status('Failed'), 1)?.level, deploymentChange('a', status('Building'), 1)?.title], ['warning', 'Deployment a by Ada & Co is running']);
  assert.equal(deploymentChange('a', status('Success').replace('Ada &amp; Co', 'N/A'), 1)?.title, 'Deployment a finished');
  assert.equal(deploymentChange('a', status('Success').slice(0, -5), 1), undefined, 'torn');
  assert.equal(deploymentChange('a', status('Success').replace('>False<', '>True<'), 1), undefined, 'temporary');
  assert.equal(deploymentChange('a', '<deployment><message>key=AccountKey=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0</message></deployment>', 5)?.at, 5);
});

test('each new or changed status file is told once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'deployments-'));
  try {
    const deployments = new Deployments(join(folder, 'site'));
    assert.deepEqual(await deployments.look(never), [], 'no folder yet');
    await mkdir(join(folder, 'site', 'one'), { recursive: true });
    assert.deepEqual(await deployments.look(never), [], 'no status yet');
    const path = join(folder, 'site', 'one', 'status.xml');
    await writeFile(path, status('Building'));
    assert.equal((await deployments.look(never)).length, 1);
    assert.equal((await deployments.look(never)).length, 0);
    await writeFile(path, status('Success'));
    await utimes(path, new Date(), new Date(Date.now() + 5_000));
    assert.deepEqual((await deployments.look(never)).map((one) => one.id), ['deployment:one']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
