// Owns one question over FastCGI: asked of a process manager itself, past any web server; bounded in bytes, ended by the abort.
import { connect, type Socket } from 'node:net';
import { DiagError } from '../shared/errors.ts';
import { bytes } from '../shared/units.ts';

export type FastCgiEnd = { readonly path: string } | { readonly host: string; readonly port: number };

const VERSION = 1;
const BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, STDIN = 5, STDOUT = 6;
const RESPONDER = 1;
const HEAD_BYTES = 8;
const REQUEST = 1;
/** A status page of a thousand processes has half a MiB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** The body of the answer and its status. @throws what the socket throws, the signal's reason, PROGRAM_FAILED when the answer is too large or torn */
export async function askFastCgi(end: FastCgiEnd, variables: Readonly<Record<string, string>>, signal: AbortSignal): Promise<{ readonly status: number; readonly body: string }> {
  signal.throwIfAborted();
  const socket = connect(end);
  const stop = (): void => { socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted')); };
  signal.addEventListener('abort', stop, { once: true });
  try {
    socket.write(Buffer.concat([
      record(BEGIN_REQUEST, Buffer.from([0, RESPONDER, 0, 0, 0, 0, 0, 0])),
      record(PARAMS, pairs(variables)), record(PARAMS, Buffer.alloc(0)), record(STDIN, Buffer.alloc(0)),
    ]));
    return parted(await answerOf(socket));
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

function record(type: number, content: Buffer): Buffer {
  const head = Buffer.from([VERSION, type, 0, REQUEST, 0, 0, 0, 0]);
  head.writeUInt16BE(content.length, 4);
  return Buffer.concat([head, content]);
}

function pairs(variables: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(Object.entries(variables).flatMap(([name, value]) => [sized(name), sized(value), Buffer.from(name), Buffer.from(value)]));
}

function sized(text: string): Buffer {
  const length = Buffer.byteLength(text);
  if (length < 128) return Buffer.from([length]);
  const four = Buffer.alloc(4);
  four.writeUInt32BE((length | 0x80000000) >>> 0);
  return four;
}

async function answerOf(socket: Socket): Promise<Buffer> {
  let left = Buffer.alloc(0);
  const out: Buffer[] = [];
  let total = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    left = Buffer.concat([left, chunk]);
    total += chunk.length;
    if (total > MAX_ANSWER_BYTES) throw new DiagError('PROGRAM_FAILED', { program: 'The FastCGI server', end: 'our end of it', why: `it answered with more than ${bytes(MAX_ANSWER_BYTES)}` });
    while (left.length >= HEAD_BYTES && left.length >= HEAD_BYTES + left.readUInt16BE(4) + (left[6] ?? 0)) {
      const size = left.readUInt16BE(4);
      if (left[1] === STDOUT) out.push(left.subarray(HEAD_BYTES, HEAD_BYTES + size));
      if (left[1] === END_REQUEST) return Buffer.concat(out);
      left = left.subarray(HEAD_BYTES + size + (left[6] ?? 0));
    }
  }
  throw new DiagError('PROGRAM_FAILED', { program: 'The FastCGI server', end: 'a closed connection', why: 'its answer was not whole' });
}

function parted(answer: Buffer): { status: number; body: string } {
  const text = answer.toString('utf8');
  const at = text.search(/\r?\n\r?\n/);
  const head = at < 0 ? '' : text.slice(0, at);
  return { status: Number(/^Status: (\d{3})/im.exec(head)?.[1] ?? 200), body: at < 0 ? text : text.slice(at).trimStart() };
}
