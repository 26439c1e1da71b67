// Owns the receiving end of the tail bench: many sockets in one process; how late each message came, and how much of what was written.
import { WebSocket } from 'ws';

/** kind: ours, bare or websocketd; `stalled` of the sockets stop reading until they are told to. */
const [kind = '', url = '', countText = '1', ask = '', stalledText = '0'] = process.argv.slice(2);
const count = Number(countText);
const stalled = Number(stalledText);
export const LINE_BYTES = 200;
const STAMP = Buffer.from('t=');
const DIGITS = 16;

interface Got { lines: number; lost: number; bytes: number }
const got = Array.from({ length: count }, (): Got => ({ lines: 0, lost: 0, bytes: 0 }));
let late: number[] = [];
const ready = new Set<number>();
const sockets: WebSocket[] = [];

/** From the stamp that the writer put into the first line of the message, in ms. */
function lateness(message: Buffer): void {
  const at = message.indexOf(STAMP);
  if (at !== -1) late.push((Number(process.hrtime.bigint() / 1_000n) - Number(message.toString('latin1', at + 2, at + 2 + DIGITS))) / 1_000);
}

function take(i: number, message: Buffer, isBinary: boolean): void {
  const mine = got[i] as Got;
  if (kind === 'websocketd') { mine.lines += 1; mine.bytes += message.length + 1; lateness(message); return; }
  if (kind === 'bare') { mine.bytes += message.length; mine.lines = Math.floor(mine.bytes / LINE_BYTES); lateness(message); return; }
  if (isBinary) {
    const lines = message.readUInt32LE(12); // see shared/log-frame.ts
    mine.lines += lines;
    mine.bytes += lines * LINE_BYTES;
    if (lines > 0) lateness(message);
    return;
  }
  const said = JSON.parse(String(message)) as { type: string; dropped?: number; code?: string };
  if (said.type === 'refused') throw new Error(`refused: ${said.code}`);
  if (said.type === 'log') { mine.lost += said.dropped ?? 0; joined(i); }
}

function joined(i: number): void {
  if (ready.has(i)) return;
  ready.add(i);
  if (i < stalled) sockets[i]?.pause();
  if (ready.size === count) process.stdout.write('ready\n');
}

for (let i = 0; i < count; i += 1) {
  const socket = new WebSocket(url, kind === 'ours' ? { headers: { authorization: 'Bearer bench-bench-bench' }, perMessageDeflate: false } : { perMessageDeflate: false });
  sockets.push(socket);
  socket.on('open', () => {
    if (kind === 'ours') socket.send(ask);
    else joined(i);
  });
  socket.on('message', (raw, isBinary) => { take(i, raw as Buffer, isBinary); });
  socket.on('error', (error) => { process.stderr.write(`${String(error)}\n`); process.exit(1); });
}

/** One line in, one out: `state`, `late` (and begin anew), `resume`. */
let rest = '';
process.stdin.on('data', (data: Buffer) => {
  rest += String(data);
  for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
    answer(rest.slice(0, end));
    rest = rest.slice(end + 1);
  }
});
process.stdin.on('end', () => process.exit(0));

function answer(word: string): void {
  if (word === 'resume') for (const socket of sockets) if (socket.isPaused) socket.resume();
  if (word === 'late') {
    const sorted = Float64Array.from(late).sort();
    late = [];
    const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
    process.stdout.write(`${JSON.stringify({ messages: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) })}\n`);
    return;
  }
  const reading = got.slice(stalled).map((one) => one.lines);
  const sum = (of: (one: Got) => number): number => got.reduce((all, one) => all + of(one), 0);
  process.stdout.write(`${JSON.stringify({ least: Math.min(...reading), most: Math.max(...reading), lost: sum((one) => one.lost), bytes: sum((one) => one.bytes), stalled: got.slice(0, stalled).map((one) => one.lines + one.lost) })}\n`);
}
