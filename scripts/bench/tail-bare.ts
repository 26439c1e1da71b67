// Owns the peer of the tail bench: fs.watch and ws and nothing else; what was added to a file is sent to everybody as it is, in chunks.
import { fstatSync, openSync, readSync, watch } from 'node:fs';
import { WebSocketServer } from 'ws';

const [file = ''] = process.argv.slice(2);
const CHUNK_BYTES = 256 * 1_024;
/** As our own: who takes nothing is waited for, so that nobody loses anything. */
const HIGH_WATER_BYTES = 4 * 1_024 * 1_024;

const fd = openSync(file, 'r');
let offset = fstatSync(fd).size;
let reading = false;
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });

function readOn(): void {
  if (reading) return;
  reading = true;
  for (;;) {
    const full = [...server.clients].some((one) => one.bufferedAmount > HIGH_WATER_BYTES);
    if (full) { setTimeout(() => { reading = false; readOn(); }, 1); return; }
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const size = readSync(fd, chunk, 0, CHUNK_BYTES, offset);
    if (size === 0) break;
    offset += size;
    const sent = chunk.subarray(0, size);
    for (const one of server.clients) one.send(sent, { binary: true });
    if (size === CHUNK_BYTES) { setImmediate(() => { reading = false; readOn(); }); return; }
  }
  reading = false;
}

watch(file, readOn);
server.on('listening', () => { process.stdout.write(`listening ws://127.0.0.1:${(server.address() as { port: number }).port}\n`); });
