// 200,000 numbered lines with rotations, truncations, deletions and reconnects: each line exactly once and in order, or in a gap that was said.
import assert from 'node:assert/strict';
import { appendFile, copyFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { lineMaskOf } from '../../../src/agent/line-mask.ts';
import { makeMasker } from '../../../src/analyze/masker.ts';
import { MASK } from '../../../src/shared/mask.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { followLog } from '../../../src/observe/logs/follow.ts';
import { Tails } from '../../../src/observe/logs/tails.ts';
import { seeded } from '../../../scripts/local/seeded.ts';
import { followed } from '../../support/followed.ts';
import { waitFor } from '../../support/wait.ts';

const LINES = 200_000;
const AHEAD = 12_000;
const SEEDS = [1, 2];

/** Some lines hold a secret, and are shown without it. */
const lineOf = (n: number, secret: string): string => `line ${String(n).padStart(6, '0')} ${n % 97 === 5 ? `pwd=${secret} ` : ''}${'é€x'.repeat(n % 17)}`;
const text = (n: number): string => lineOf(n, `hunter2-${n}`);
const shown = (n: number): string => lineOf(n, MASK);
const masker = makeMasker([]);

/** Writes all lines; `unkept` are the numbers whose file was emptied or deleted without a copy. */
class Writer {
  readonly unkept = new Set<number>();
  readonly #file: string;
  readonly #chance: () => number;
  readonly #keep: number;
  readonly #seen: Seen;
  #files: number[][] = [[]];               // the numbers in each file, the log itself first
  written = 0;

  constructor(file: string, chance: () => number, keep: number, seen: Seen) {
    this.#file = file;
    this.#chance = chance;
    this.#keep = keep;
    this.#seen = seen;
  }

  async write(destroying: boolean): Promise<void> {
    while (this.written < LINES) {
      // Runs ahead of the follower, but not out of its sight: else all reconnects would come after the last line.
      await waitFor('the follower to come nearer', () => this.written - (this.#seen.numbers.at(-1) ?? 0) < AHEAD, 120_000);
      await this.#some();
      if (this.written === LINES) break; // the last line is what the follower waits for: it is not taken away
      const dice = this.#chance();
      if (dice < 0.02) await this.#rename();
      else if (dice < 0.04) await this.#copyAndEmpty();
      else if (destroying && dice < 0.05) await this.#empty();
      else if (destroying && dice < 0.06) await this.#remove();
    }
  }

  /** What is destroyed in a file of which nothing was ever read leaves no trace that any reader could find: so something was. */
  async #known(index: number): Promise<void> {
    await waitFor('the follower to have read of the file', () => (this.#seen.numbers.at(-1) ?? -1) >= (this.#files[index]?.[0] ?? -1), 120_000);
  }

  async #some(): Promise<void> {
    const count = Math.min(LINES - this.written, 1 + Math.floor(this.#chance() * 400));
    const numbers = Array.from({ length: count }, (_, i) => this.written + i);
    this.#files[0]?.push(...numbers);
    this.written += count;
    const bytes = Buffer.from(numbers.map((n) => `${text(n)}\n`).join(''));
    const cut = this.#chance() < 0.5 ? Math.floor(this.#chance() * bytes.length) : bytes.length;
    await appendFile(this.#file, bytes.subarray(0, cut));
    if (cut < bytes.length) await appendFile(this.#file, bytes.subarray(cut));
  }

  async #shift(): Promise<void> {
    await this.#known(this.#keep);
    await rm(`${this.#file}.${this.#keep}`, { force: true });
    for (const n of this.#files[this.#keep] ?? []) this.unkept.add(n);
    for (let i = this.#keep - 1; i >= 1; i -= 1) if (this.#files[i]) await rename(`${this.#file}.${i}`, `${this.#file}.${i + 1}`);
    this.#files = [[], ...this.#files].slice(0, this.#keep + 1);
  }

  async #rename(): Promise<void> {
    await this.#shift();
    await rename(this.#file, `${this.#file}.1`);
    await writeFile(this.#file, '');
  }

  async #copyAndEmpty(): Promise<void> {
    await this.#shift();
    await copyFile(this.#file, `${this.#file}.1`);
    await truncate(this.#file, 0);
  }

  async #empty(): Promise<void> {
    await this.#known(0);
    for (const n of this.#files[0] ?? []) this.unkept.add(n);
    this.#files[0] = [];
    await truncate(this.#file, 0);
  }

  async #remove(): Promise<void> {
    await this.#known(0);
    for (const n of this.#files[0] ?? []) this.unkept.add(n);
    this.#files[0] = [];
    await rm(this.#file);
    if (this.#chance() < 0.5) await writeFile(this.#file, '');
  }
}

interface Seen { readonly numbers: number[]; readonly saidBefore: Set<number>; batches: number; reconnects: number }

/** Follows until line LINES - 1, leaving and coming back with its cursor all the time. `saidBefore`: indexes with a notice or counted loss before them. */
async function followAll(file: string, folder: string, chance: () => number, signal: AbortSignal, seen: Seen): Promise<void> {
  const tails = new Tails(systemClock, lineMaskOf(() => masker));
  let cursor: string | undefined;
  let part = '';
  while (seen.numbers.at(-1) !== LINES - 1 && !signal.aborted) {
    let stay = 500 + Math.floor(chance() * 12_000);
    const end = new AbortController();
    const either = AbortSignal.any([signal, end.signal]);
    for await (const batch of followed((sink) => followLog({ source: 'soak', path: file, roots: [folder] }, { ...(cursor === undefined ? { last: 0 } : { cursor }), signal: either, sink }, tails, systemClock), either)) {
      seen.batches += 1;
      if (batch.dropped > 0) seen.saidBefore.add(seen.numbers.length);
      for (const item of batch.items) {
        if ('notice' in item) {
          if (item.notice.kind !== 'rotated') seen.saidBefore.add(seen.numbers.length);
          part = '';
          continue;
        }
        part += 'line' in item ? item.line.text : item.more.text; // a line may come in two parts when the machine stood still between its two writes
        if (!/^line \d{6} /.test(part) || part !== shown(Number(part.slice(5, 11)))) continue;
        seen.numbers.push(Number(part.slice(5, 11)));
        part = '';
        stay -= 1;
      }
      cursor = batch.cursor;
      if (stay <= 0 || seen.numbers.at(-1) === LINES - 1) break;
    }
    end.abort();
    seen.reconnects += 1;
  }
  await waitFor('the tails to be closed', () => tails.count === 0);
}

function check(seen: Seen, writer: Writer, mayLose: boolean): void {
  let expected = 0;
  let lost = 0;
  seen.numbers.forEach((n, i) => {
    if (n === expected) { expected += 1; return; }
    assert.ok(n > expected, `line ${n} came again, or out of order, after ${seen.numbers[i - 1]}`);
    assert.ok(mayLose && seen.saidBefore.has(i), `lines ${expected} to ${n - 1} are missing without a word`);
    for (let missing = expected; missing < n; missing += 1) assert.ok(writer.unkept.has(missing), `line ${missing} is missing, but its file was there`);
    lost += n - expected;
    expected = n + 1;
  });
  assert.equal(expected, LINES);
  assert.ok(seen.reconnects > 10, `only ${seen.reconnects} reconnects`);
  if (mayLose) assert.ok(lost < LINES / 2, `${lost} lines were lost: the gaps hide more than they should`);
}

async function soak(t: TestContext, seed: number, keep: number, destroying: boolean): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'soak-'));
  const ending = new AbortController();
  t.after(async () => { ending.abort(); await rm(folder, { recursive: true, force: true }); });
  const file = join(folder, 'app.log');
  await writeFile(file, '');
  const seen: Seen = { numbers: [], saidBefore: new Set(), batches: 0, reconnects: 0 };
  const writer = new Writer(file, seeded(seed), keep, seen);
  const following = followAll(file, folder, seeded(seed + 1_000), ending.signal, seen);
  await waitFor('the follower to be there', () => seen.batches > 0);
  await writer.write(destroying);
  await waitFor(`line ${LINES - 1}`, () => seen.numbers.at(-1) === LINES - 1, 120_000);
  await following;
  check(seen, writer, destroying);
}

for (const seed of SEEDS) {
  test(`rotations by renaming and by copying, with reconnects: no line is missing (seed ${seed})`, (t) => soak(t, seed, 200, false));
  test(`truncations, deletions and rotations that drop old files: what is missing was destroyed, and said (seed ${seed})`, (t) => soak(t, seed + 50, 4, true));
}
