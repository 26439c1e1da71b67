// Tests that an app is the same with the preload and without: output, answers and end, byte for byte, under every Node it promises.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { join } from 'node:path';
import { openBench, run, type Bench } from './app.ts';
import { LINES, nodeOf, root } from './nodes.ts';

const CJS = join(root, 'test/apps/preload-app.cjs');
const ESM = join(root, 'test/apps/preload-app.mjs');
const ASKS = ['/', '/users/12?key=1', '/post/3', '/fail', '/end'];
const TRICKS = ['throws-at-start', 'exits-at-once', 'rejects', 'closes-stdio', 'replaces-emit', 'freezes', 'many-listeners', 'replaces-time', 'lists-itself', 'warns'];

let bench: Bench;
before(async () => { bench = await openBench(); });
after(async () => { await bench.close(); });

function cases(line: string): readonly (readonly [string, readonly string[]])[] {
  return [
    ['plain, CJS', [CJS, 'plain', 'none']],
    ['plain, ESM', [ESM]],
    ...line === '16' ? [] : [['Express', [CJS, 'express', 'none']] as const],   // Express 5 begins at Node 18
    ['cluster', [CJS, 'cluster', 'none']],
    ...TRICKS.map((trick) => [trick, [CJS, 'plain', trick]] as const),
  ];
}

for (const line of LINES) {
  describe(`Node ${line}`, () => {
    for (const [name, args] of cases(line)) {
      test(name, async (t) => {
        const node = await nodeOf(line);
        if ('because' in node) { t.skip(node.because); return; }
        const [without, withIt] = await Promise.all([run({ program: node.program, args, asks: ASKS }), run({ program: node.program, args, asks: ASKS, preload: bench.preload })]);
        assert.deepEqual(withIt, without);
        assert.ok(without.answers.length === ASKS.length || without.code !== 0, 'the app neither served nor failed');
      });
    }
  });
}
