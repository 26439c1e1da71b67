// Owns the tests of `diag heap`: one snapshot, two and three of an app that was bundled, as words and as JSON; and the exit codes.
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { HeapReport } from '../../src/shared/heap.ts';
import { diag, withFolder, ROOT } from './support.ts';

const app = join(ROOT, 'test/apps/leaky');
const DECLARED = 'test/apps/leaky/store.ts:3';
const ONCE = 'test/apps/leaky/store.ts:4';

async function threeSnapshots(folder: string): Promise<[string, string, string]> {
  const file = join(folder, 'app.cjs');
  await build({ entryPoints: [join(app, 'main.ts')], bundle: true, platform: 'node', format: 'cjs', outfile: file, sourcemap: 'inline', minifyWhitespace: true, logLevel: 'error' });
  // What V8 builds into its caller counts as the caller's, at a time of its own choosing: here it builds in nothing.
  await promisify(execFile)(process.execPath, ['--no-opt', file, folder]);
  return [1, 2, 3].map((round) => join(folder, `${round}.heapsnapshot`)) as [string, string, string];
}

test('what leaks is told with file and line of the source, where it was made, and what only filled up once is no leak to three snapshots', async () => {
  await withFolder(async (folder) => {
    const [first, second, third] = await threeSnapshots(folder);
    const read = async (...args: string[]): Promise<{ code: number | null; report: HeapReport; places: string[] }> => {
      const { code, stdout } = await diag(['heap', ...args, '--json']);
      const report = HeapReport.parse(JSON.parse(stdout));
      return { code, report, places: report.suspects.map(({ place }) => `${place?.script.slice(-24)}:${place?.line}`).sort() };
    };
    const three = await read(third, '--base', first, second);
    assert.deepEqual([three.code, three.places], [1, [DECLARED]]);
    const [suspect] = three.report.suspects;
    assert.match(suspect?.title ?? '', /^`cache` in `leaky\/store\.ts:3` holds 9,000 `\{(?:id, )?lines\}` and grew by /);
    assert.deepEqual([suspect?.made?.name, suspect?.made?.place.line, suspect?.made?.place.script.endsWith('leaky/store.ts')], ['made', 6, true]);
    const two = await read(third, '--base', first);
    assert.deepEqual([two.code, two.places], [1, [DECLARED, ONCE]]);
    const one = await read(third);
    assert.equal(one.code, 0, 'one snapshot does not tell a leak');
    assert.ok(one.report.suspects.every(({ sign }) => sign === 'holds-most'));

    const words = await diag(['heap', third, '--base', first, second]);
    assert.equal(words.code, 1, words.stderr);
    assert.match(words.stdout, /\n1\. `cache` in `leaky\/store\.ts:3` holds 9,000 .*\n {3}.*leaky\/store\.ts:3\n {3}made in made, .*leaky\/store\.ts:6\n {3}kept by /);
    assert.match(words.stdout, /\nClass +Objects +Shallow +Retained\n/);
  });
});

test('what cannot be read ends with 3 and the reason, and a fourth snapshot is refused', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'a.heapsnapshot');
    await writeFile(file, '{"snapshot":{"meta":');
    const broken = await diag(['heap', file]);
    assert.deepEqual([broken.code, /it has no nodes/.test(broken.stderr)], [3, true], broken.stderr);
    assert.equal((await diag(['heap', join(folder, 'nowhere')])).code, 3);
    assert.equal((await diag(['heap', file, '--base', file, file, file])).code, 2);
    assert.equal((await diag(['heap'])).code, 2);
  });
});
