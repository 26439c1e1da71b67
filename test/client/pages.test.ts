// Owns the test of the pages in a browser: on the stage no page has a console error, an axe finding or a line too wide, and the first load is small.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { noBrowser } from '../support/browser.ts';
import { takeShots } from '../support/shots.ts';

const root = resolve(import.meta.dirname, '../..');
const assetsDir = join(root, 'public/assets');

test('every page in its failing and error states: nothing in the console, nothing for axe, nothing too wide', { skip: noBrowser() ?? false }, async () => {
  assert.ok(existsSync(join(assetsDir, 'app.js')), 'the page is built: npm run build');
  const { faults, firstLoadBytes } = await takeShots({ root, assetsDir, scenes: ['failing', 'error'], pictures: false, say: () => undefined });
  assert.deepEqual(faults, []);
  assert.ok(firstLoadBytes < 150 * 1024, `the first load is ${firstLoadBytes} bytes gzip`);
});
