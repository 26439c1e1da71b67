// Owns the lab's tests without a program: every recorded fault is named first, with evidence missing never wrong, under other names the same.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { faults } from './index.ts';
import { HOW, OPEN, harderOf } from './lab/harder.ts';
import { outcomeOf } from './lab/outcome.ts';
import { diagnosed, recordings } from './lab/recording.ts';
import { recordedOf } from './lab/results.ts';
import { SOURCES, movedWest, renamed, verdictOf, without } from './lab/vary.ts';

const all = await recordings();
const of = (name: string) => faults.find((f) => f.name === name)!;
const wholes = new Map(await Promise.all(all.map(async (r) => [r.fault, await diagnosed(r)] as const)));
/** Half of them here and the other half there: all of both is in docs/faults.md, and takes half a minute. */
const half = (n: number): typeof all => all.filter((_, i) => i % 2 === n);

test('the recordings are of faults that the lab has, over thirty faults and six controls', () => {
  assert.deepEqual(all.filter((r) => of(r.fault) === undefined).map((r) => r.fault), []);
  assert.ok(all.filter((r) => of(r.fault).cause !== 'healthy').length >= 30);
  assert.ok(all.filter((r) => of(r.fault).cause === 'healthy').length >= 6);
});

test('every fault has its cause first, every control is clean, and a recording gives the same diagnosis', async (t) => {
  for (const recording of all) {
    await t.test(recording.fault, async () => {
      const outcome = outcomeOf(of(recording.fault), wholes.get(recording.fault)!);
      assert.ok(outcome.right, `${outcome.first} instead of ${outcome.cause}: ${outcome.title}; found ${outcome.found.join(', ')}; missing ${outcome.missing.join(', ')}`);
    });
  }
  for (const recording of all.filter((_, i) => i % 10 === 0)) assert.deepEqual(await diagnosed(recording), wholes.get(recording.fault), recording.fault);
});

test('each fault is named in a hard version too: late, as one of two, on one of three instances', async () => {
  const others = recordedOf(all);
  const wrong: string[] = [];
  let tried = 0;
  for (const [i, recording] of all.entries()) {
    const harder = harderOf(of(recording.fault), recording, others);
    const one = harder.find((h) => h.how === HOW[i % HOW.length]) ?? harder[0];
    if (one === undefined || `${recording.fault}, ${one.how}` in OPEN) continue;
    tried += 1;
    const outcome = outcomeOf(one.expected, await diagnosed(one.recording));
    if (!outcome.right) wrong.push(`${recording.fault}, ${one.how}: ${outcome.first}, missing ${outcome.missing.join(', ')}`);
  }
  assert.ok(tried >= all.length - Object.keys(OPEN).length, `${tried} of ${all.length} were tried`);
  assert.deepEqual(wrong, []);
});

test('with one source of evidence taken away a verdict stays or weakens, and is never wrong', async () => {
  const wrong: string[] = [];
  let tried = 0;
  for (const recording of half(0)) {
    const fault = of(recording.fault), whole = outcomeOf(fault, wholes.get(fault.name)!);
    for (const source of SOURCES) {
      const less = without(recording, source);
      if (less === undefined) continue;
      tried += 1;
      const outcome = outcomeOf(fault, await diagnosed(less));
      if (verdictOf(fault.cause, outcome, whole) === 'wrong') wrong.push(`${fault.name} without ${source}: ${outcome.first} (${outcome.word})`);
    }
  }
  assert.ok(tried > 80, `${tried} were tried`);
  assert.deepEqual(wrong, []);
});

test('other names, routes, ports, folders, messages and time zones change no verdict', async () => {
  for (const recording of half(1)) {
    const fault = of(recording.fault);
    for (const moved of [renamed(recording), movedWest(recording)]) {
      if (moved === undefined) continue;
      assert.notDeepEqual(moved.files, recording.files, fault.name);
      const outcome = outcomeOf(fault, await diagnosed(moved));
      assert.ok(outcome.right, `${fault.name}: ${outcome.first}, ${outcome.title}`);
    }
  }
});

test('the engine knows none of the lab: no folder, no name, no word of its apps', async () => {
  const root = join(import.meta.dirname, '../../src/analyze');
  const words = /contoso|healthy-shop|dependent-api|pooled-database|never-answers|vouchers?\b.{0,20}percent|licence server|faults-[A-Za-z0-9]{6}/;
  for (const name of await readdir(root, { recursive: true })) {
    if (name.endsWith('.ts')) assert.doesNotMatch(await readFile(join(root, name), 'utf8'), words, name);
  }
});
