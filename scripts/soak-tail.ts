// Owns the long soak of the live tail: millions of numbered lines over rotations with random disconnects, each line once, in order, or in a counted gap.
import { closeSync, copyFileSync, openSync, renameSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/platform/clock.ts';
import { followLog } from '../src/observe/logs/follow.ts';
import { Tails } from '../src/observe/logs/tails.ts';
import { followed } from '../test/support/followed.ts';
import { seeded } from './local/seeded.ts';

const { values } = parseArgs({ options: { lines: { type: 'string', default: '10000000' }, rotations: { type: 'string', default: '30' }, seed: { type: 'string', default: '1' }, followers: { type: 'string', default: '2' } } });
const LINES = Number(values.lines);
const ROTATIONS = Number(values.rotations);
const FOLLOWERS = Number(values.followers);
/** Lines that the writer may be ahead of the slowest follower: less than what a returning one reads again, or the skip would be all there is. */
const AHEAD = Math.min(600_000, Math.floor((LINES / (ROTATIONS + 1)) * 2));
const PIECE = 2_000;
const KEPT_FILES = 6;

interface Seen { part: string; next: number; lines: number; gaps: number; dropped: number; said: boolean; reconnects: number }

const folder = await mkdtemp(join(tmpdir(), 'soak-tail-'));
const file = join(folder, 'app.log');
writeFileSync(file, '');
const tails = new Tails(systemClock);
const ending = new AbortController();
const all: Seen[] = Array.from({ length: FOLLOWERS }, () => ({ part: '', next: 0, lines: 0, gaps: 0, dropped: 0, said: false, reconnects: 0 }));

const lineOf = (n: number): string => `line ${n} ${'é€x'.repeat(n % 7)}`;

/** A line may come in two parts when this process stood still between its two writes. */
function take(seen: Seen, text: string): void {
  seen.part += text;
  const number = Number(/^line (\d+) /.exec(seen.part)?.[1] ?? NaN);
  if (Number.isNaN(number) || seen.part !== lineOf(number)) {
    if (seen.part.length > lineOf(LINES).length + 40) throw new Error(`a line that was not written: ${seen.part.slice(0, 100)}`);
    return;
  }
  seen.part = '';
  if (number < seen.next) throw new Error(`line ${number} came again, or out of order, after ${seen.next - 1}`);
  if (number > seen.next) {
    const missing = number - seen.next;
    if (!seen.said) throw new Error(`lines ${seen.next} to ${number - 1} are missing without a word`);
    if (seen.dropped !== missing) throw new Error(`${missing} lines are missing, ${seen.dropped} were counted`);
    seen.gaps += 1;
  }
  seen.dropped = 0;
  seen.said = false;
  seen.next = number + 1;
  seen.lines += 1;
}

/** Follows to the last line, leaving and coming back with its cursor all the time. */
async function follow(seen: Seen, chance: () => number): Promise<void> {
  let cursor: string | undefined;
  while (seen.next < LINES && !ending.signal.aborted) {
    let stay = 20_000 + Math.floor(chance() * 400_000);
    const end = new AbortController();
    for await (const batch of followed((sink) => followLog({ source: 'soak', path: file, roots: [folder] }, { ...(cursor === undefined ? { last: 0 } : { cursor }), signal: end.signal, sink }, tails, systemClock), end.signal)) {
      if (batch.dropped > 0) { seen.said = true; seen.dropped += batch.dropped; }
      for (const item of batch.items) {
        if ('line' in item) take(seen, item.line.text);
        else if ('notice' in item && item.notice.kind !== 'rotated') throw new Error(item.notice.text);
        else if ('more' in item) throw new Error(`a line was joined: ${item.more.text}`);
        stay -= 1;
      }
      if (batch.cursor !== '') ({ cursor } = batch);
      if (stay <= 0 || seen.next >= LINES) break;
    }
    end.abort();
    seen.reconnects += 1;
    await sleep(chance() * 50);
  }
}

function rotate(chance: () => number): void {
  rmSync(`${file}.${KEPT_FILES}`, { force: true });
  for (let i = KEPT_FILES - 1; i >= 1; i -= 1) try { renameSync(`${file}.${i}`, `${file}.${i + 1}`); } catch (error) { if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; }
  if (chance() < 0.5) { renameSync(file, `${file}.1`); writeFileSync(file, ''); }
  else { copyFileSync(file, `${file}.1`); truncateSync(file, 0); }
}

async function write(chance: () => number): Promise<void> {
  const every = Math.ceil(LINES / (ROTATIONS + 1));
  let fd = openSync(file, 'a');
  for (let n = 0; n < LINES;) {
    while (n - Math.min(...all.map((seen) => seen.next)) > AHEAD) await sleep(5);
    const to = Math.min(LINES, n + PIECE, (Math.floor(n / every) + 1) * every);
    let piece = '';
    for (; n < to; n += 1) piece += `${lineOf(n)}\n`;
    const bytes = Buffer.from(piece);
    const cut = Math.floor(chance() * bytes.length);
    writeSync(fd, bytes.subarray(0, cut));
    if (chance() < 0.2) await sleep(0);
    writeSync(fd, bytes.subarray(cut));
    await sleep(0);
    if (n % every !== 0 || n >= LINES) continue;
    closeSync(fd);
    rotate(chance);
    fd = openSync(file, 'a');
  }
  closeSync(fd);
}

const began = performance.now();
try {
  const chance = seeded(Number(values.seed));
  const following = Promise.all(all.map((seen, i) => follow(seen, seeded(Number(values.seed) + 100 + i)))).catch((error: unknown) => { ending.abort(); throw error; });
  await sleep(500);
  await Promise.race([following, write(chance)]);
  await following;
  const seconds = (performance.now() - began) / 1_000;
  process.stdout.write(`${JSON.stringify({ lines: LINES, rotations: ROTATIONS, seconds: Number(seconds.toFixed(1)), linesASecond: Math.round(LINES / seconds), rssMiB: Math.round(process.memoryUsage().rss / 2 ** 20), followers: all.map(({ lines, gaps, reconnects }) => ({ lines, gaps, reconnects })) })}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
