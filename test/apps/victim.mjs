// A program that misbehaves on request: one JSON command per line on stdin, one answer per line on stdout. Ends when stdin ends.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const leaked = [];
const files = [];
const children = [];

const does = {
  /** Keeps `mb` MiB for good: on the JavaScript heap, or in buffers when `buffers` is true. */
  leak({ mb = 10, buffers = false }) {
    for (let i = 0; i < mb; i += 1) leaked.push(buffers ? Buffer.alloc(1 << 20, 1) : Array.from({ length: 131_072 }, (_, n) => n + i + 0.5));
    return { rssBytes: process.memoryUsage.rss() };
  },
  /** Uses one core for `ms` in slices, so that the event loop still turns; answers at its end. */
  burn({ ms = 500 }) {
    const until = performance.now() + ms;
    return new Promise((resolve) => {
      const slice = () => {
        const stop = performance.now() + 10;
        while (performance.now() < stop);
        if (performance.now() < until) setImmediate(slice); else resolve({});
      };
      slice();
    });
  },
  /** Blocks the event loop for `ms`; the answer to `blocking` comes before, the one to `block` after. */
  block({ ms = 500 }) {
    say({ did: 'blocking' });
    const until = performance.now() + ms;
    while (performance.now() < until);
    return {};
  },
  /** Dies by an uncaught error of the given type. */
  throw({ message = 'the victim was told to throw', type = 'TypeError' }) {
    const error = new (globalThis[type] ?? Error)(message);
    setImmediate(() => { throw error; });
    return {};
  },
  /** Throws an error of the given type and catches it. */
  catch({ message = 'the victim caught it', type = 'TypeError' }) {
    try { throw new (globalThis[type] ?? Error)(message); } catch (error) { return { caught: error.name }; }
  },
  /** Calls itself until V8 has no stack left; dies of it, unless `caught`. */
  overflow({ caught = false }) {
    const deeper = (n) => deeper(n + 1) + 1;
    if (caught) { try { deeper(0); } catch (error) { return { caught: error.name }; } }
    setImmediate(() => deeper(0));
    return {};
  },
  /** Fills the JavaScript heap until V8 gives up and aborts; start it with a small --max-old-space-size. */
  'out-of-memory'() {
    setImmediate(() => { for (;;) leaked.push(Array.from({ length: 10_000 }, (_, n) => ({ n }))); });
    return {};
  },
  /** Writes into every page of the buffers it keeps, again and again: as an app does whose memory is all in use. */
  rewrite() {
    const buffers = leaked.filter((one) => Buffer.isBuffer(one));
    let turn = 0;
    setInterval(() => { turn += 1; for (const one of buffers) for (let at = 0; at < one.length; at += 4_096) one[at] = turn; }, 20);
    return { buffers: buffers.length };
  },
  /** Writes the number of the pass into each word of a buffer, from its start to its end, pass after pass: at any one moment all words before some place are of one pass, and all others of the one before. */
  sweep({ mb = 32, words = ['SWEEP', 'BEGIN'] }) {
    const mark = Buffer.from(words.join('-'));
    const buffer = Buffer.alloc((mb << 20) + 4_096);
    // Twice, so that nobody takes a stray copy of the words for the buffer.
    for (const place of [0, 2_048]) mark.copy(buffer, place);
    const all = new Uint32Array(buffer.buffer, buffer.byteOffset + 4_096, mb << 18);
    leaked.push(buffer);
    let pass = 1, at = 0;
    const slice = () => {
      for (const end = at + 16_384; at < end; at += 1) all[at] = pass;
      if (at === all.length) { at = 0; pass += 1; }
      setImmediate(slice);
    };
    slice();
    return { words: all.length };
  },
  /** Keeps so many small objects for good. */
  objects({ count = 1_000 }) {
    for (let i = 0; i < count; i += 1) leaked.push({ id: i, name: `object ${leaked.length}`, tags: [i, i + 1], inner: { i } });
    return { kept: leaked.length };
  },
  abort() { setImmediate(() => process.abort()); return {}; },
  /** Reads an address that is not mapped, in native code. */
  async 'native-fault'() {
    const { default: koffi } = await import('koffi');
    const length = koffi.load(null).func('size_t strlen(uintptr_t text)');
    setImmediate(() => length(8));
    return {};
  },
  exit({ code = 0 }) {
    setImmediate(() => process.exit(code));
    return {};
  },
  /** Opens `count` descriptors on `file` (default: this program) and keeps them; `close` true closes all of them again. */
  'open-files'({ count = 10, file = process.argv[1], close = false }) {
    if (close) { for (const fd of files.splice(0)) closeSync(fd); } else for (let i = 0; i < count; i += 1) files.push(openSync(file, 'r'));
    return { open: files.length };
  },
  /** Starts a child: another victim (default) or `sleep`; `deaf` children ignore TERM. */
  'spawn-child'({ program = 'victim', deaf = false }) {
    const args = deaf ? ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e9); console.log('deaf')"] : [process.argv[1]];
    const child = program === 'sleep' ? spawn('sleep', ['1000'], { stdio: 'ignore' }) : spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    children.push(child);
    if (program === 'sleep') return { pid: child.pid };
    return new Promise((resolve) => { child.stdout.once('data', () => resolve({ pid: child.pid })); });
  },
  /** Handles SIGUSR1 itself, so that Node does not open its inspector. */
  'own-signal'() { process.on('SIGUSR1', () => {}); return {}; },
  /** Ignores TERM from now on. */
  deaf() { process.on('SIGTERM', () => {}); return {}; },
  /** Listens on a loopback port and answers 200 with the pid; /slow after half a minute. */
  listen({ port = 0 }) {
    const server = createServer((request, answer) => { if (request.url.startsWith('/slow')) waitsForTheCart(answer); else answer.end(String(process.pid)); });
    return new Promise((resolve) => { server.listen(port, '127.0.0.1', () => resolve({ port: server.address().port })); });
  },
  /** Writes `text` and a newline to stderr, or to stdout when `to` says so. */
  print({ text = '', to = 'stderr' }) { process[to].write(`${text}\n`); return {}; },
  /** Keeps words that were not in the command: `A-B-<n squared>` in an object, or in a buffer. */
  mark({ words = [], n = 1, buffer = false }) {
    const text = [...words, n * n].join('-');
    leaked.push(buffer ? Buffer.from(text) : { text: JSON.parse(JSON.stringify(text)) });
    return {};
  },
  title({ title }) { process.title = title; return {}; },
};

async function waitsForTheCart(answer) {
  await new Promise((resolve) => { setTimeout(resolve, 30_000); });
  answer.end('late');
}

function say(answer) { process.stdout.write(`${JSON.stringify(answer)}\n`); }

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const { do: what, ...how } = JSON.parse(line);
    say({ did: what, ...await does[what](how) });
  })
  .on('close', () => {
    for (const child of children) child.kill('SIGKILL');
    process.exit(0);
  });

say({ did: 'start', pid: process.pid });
