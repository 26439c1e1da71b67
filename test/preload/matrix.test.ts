// Tests that an app is the same with the preload and without: output, answers and end, byte for byte, under every Node it promises.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { join } from 'node:path';
import { openBench, run, type Bench } from './app.ts';
import { LINES, nodeOf, root } from './nodes.ts';

const CJS = join(root, 'test/apps/preload-app.cjs');
const ESM = join(root, 'test/apps/preload-app.mjs');
const AGENTS = join(root, 'test/apps/preload-agents.cjs');
const ASKS = ['/', '/users/12?key=1', '/post/3', '/fail', '/end'];
const TRICKS = ['throws-at-start', 'exits-at-once', 'rejects', 'closes-stdio', 'replaces-emit', 'freezes', 'many-listeners', 'replaces-time', 'lists-itself', 'warns'];

let bench: Bench;
before(async () => { bench = await openBench(); });
after(async () => { await bench.close(); });

/** The oldest, the one of most apps, and the newest: tricks, frameworks in a cluster, and being listened to, are not of a line. */
const LISTENED = ', listened to and followed';
const TRICKED = ['16', '20', '24'];
const MODULES = [['CJS', CJS, ['none']], ['ESM', ESM, []]] as const;
type Case = readonly [name: string, args: readonly string[], env?: Readonly<Record<string, string>>];

function cases(line: string): readonly Case[] {
  const frameworks = line === '16' ? ['plain', 'fastify'] : ['plain', 'express', 'fastify'];      // Express 5 begins at Node 18
  const served = MODULES.flatMap(([name, file, more]) => frameworks.flatMap((framework): Case[] => [
    [`${framework}, ${name}`, [file, framework, ...more]],
    ...framework === 'plain' || TRICKED.includes(line) ? [[`${framework}, ${name}, cluster`, [file, framework, ...more, 'cluster']] as const] : [],
  ]));
  const agents = [...line === '16' ? [] : ['opentelemetry'], 'patching'].map((agent): Case => [`beside ${agent}`, [`--require=${AGENTS}`, CJS, line === '16' ? 'plain' : 'express', 'none'], { OTHER_AGENT: agent }]);
  const heard = !TRICKED.includes(line) ? [] : frameworks.map((framework): Case => [`${framework}${LISTENED}`, [CJS, framework, 'none']]);
  return [...served, ...heard, ...agents, ['koa', [CJS, 'koa', 'none']], ...TRICKED.includes(line) ? TRICKS.map((trick): Case => [trick, [CJS, 'plain', trick]]) : []];
}

for (const line of LINES) {
  describe(`Node ${line}`, { concurrency: 3 }, () => {
    for (const [name, args, env = {}] of cases(line)) {
      test(name, async (t) => {
        const listened = name.endsWith(LISTENED);
        const node = await nodeOf(line);
        if ('because' in node) { t.skip(node.because); return; }
        const [without, withIt] = await Promise.all([run({ program: node.program, args, asks: ASKS, listened, env }), run({ program: node.program, args, asks: ASKS, listened, env, preload: bench.preload })]);
        assert.deepEqual(withIt, without);
        assert.ok(without.answers.length === ASKS.length || without.code !== 0, 'the app neither served nor failed');
      });
    }
  });
}
