// Owns one conversation with the inspector of a Node process on loopback: a WebSocket of our own, small enough to read in one go.
import { createHash, randomBytes } from 'node:crypto';
import { get, request } from 'node:http';
import type { Socket } from 'node:net';

/** A diagnostic report has 50 KB to 1 MB; a longer answer ends the conversation. */
const ANSWER_BYTES = 32 * 1024 * 1024;
const LIST_BYTES = 64 * 1024;
const HOST = '127.0.0.1';
/** RFC 6455, 1.3 */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const OPCODE = { continued: 0, text: 1, close: 8, ping: 9, pong: 10 } as const;

export interface Inspector {
  /** Runs an expression in the main context and returns its value, which must be JSON. Works also while the event loop is blocked. */
  evaluate(expression: string): Promise<unknown>;
  /** Any method of the protocol; gives its result object. */
  send(method: string, params?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Hears an event of the protocol; a later hearer of the same event takes its place. */
  on(event: string, hear: (params: unknown) => void): void;
  /** While true nothing is read: what the other side says waits there. */
  hold(yes: boolean): void;
  /** Resolves when the conversation is over, whoever ended it. */
  readonly over: Promise<void>;
  /** Hangs up at once; `last` is still said, and done when the other side gets to it. */
  hangUp(last?: string): void;
}

/** The WebSocket path of the process behind this port; undefined when nothing there speaks as an inspector. */
export async function inspectorPath(port: number, signal: AbortSignal): Promise<string | undefined> {
  const text = await fetchText(port, '/json/list', signal);
  const url = /"webSocketDebuggerUrl": *"ws:\/\/[^/"]+\/([0-9a-f-]{36})"/.exec(text ?? '')?.[1];
  return url === undefined ? undefined : `/${url}`;
}

function fetchText(port: number, path: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: HOST, port, path, agent: false, signal }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => { text += chunk; if (text.length > LIST_BYTES) answer.destroy(); });
      answer.on('close', () => { resolve(answer.statusCode === 200 ? text : undefined); });
    });
    // Nobody listens, or not in HTTP: then it is no inspector.
    asked.on('error', (error) => { if (signal.aborted) reject(error); else resolve(undefined); });
  });
}

/** Connects; the signal ends the conversation at any moment. */
export function connectInspector(port: number, path: string, signal: AbortSignal): Promise<Inspector> {
  const key = randomBytes(16).toString('base64');
  const expected = createHash('sha1').update(key + MAGIC).digest('base64');
  return new Promise((resolve, reject) => {
    const asked = request({ host: HOST, port, path, agent: false, signal, headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': key, 'Sec-WebSocket-Version': '13' } });
    asked.on('upgrade', (answer, socket, head) => {
      if (answer.headers['sec-websocket-accept'] !== expected) {
        socket.destroy();
        reject(new Error('the other side is no WebSocket'));
        return;
      }
      resolve(converse(socket as Socket, head, signal));
    });
    asked.on('response', (answer) => { answer.destroy(); reject(new Error(`the inspector answered ${answer.statusCode}; another debugger may be connected`)); });
    asked.on('error', reject);
    asked.end();
  });
}

interface Waiting { resolve(value: unknown): void; reject(error: Error): void }

type Hearers = Map<string, (params: unknown) => void>;

function converse(socket: Socket, head: Buffer, signal: AbortSignal): Inspector {
  const waiting = new Map<number, Waiting>();
  const hearers: Hearers = new Map();
  const frames = new FrameReader((text) => { heard(waiting, hearers, text); }, (bytes) => { socket.write(frame(OPCODE.pong, bytes)); });
  const end = (error: Error): void => {
    socket.destroy();
    for (const one of waiting.values()) one.reject(error);
    waiting.clear();
  };
  const take = (chunk: Buffer): void => {
    try {
      if (!frames.push(chunk)) end(new Error('the inspector hung up'));
    } catch (error) {
      end(error as Error);
    }
  };
  socket.on('data', take);
  socket.on('error', end);
  const over = new Promise<void>((resolve) => { socket.on('close', () => { end(new Error('the inspector hung up')); resolve(); }); });
  signal.addEventListener('abort', () => { end(signal.reason as Error); }, { once: true });
  if (head.length > 0) take(head);
  return { ...speech(socket, waiting, end), on: (event, hear) => { hearers.set(event, hear); }, hold: (yes) => { if (yes) socket.pause(); else socket.resume(); }, over };
}

/** Runs in the main context; `returnByValue` makes the value JSON. */
const EVALUATE = { returnByValue: true, includeCommandLineAPI: true, silent: true };

function speech(socket: Socket, waiting: Map<number, Waiting>, end: (error: Error) => void): Pick<Inspector, 'evaluate' | 'send' | 'hangUp'> {
  let next = 0;
  const write = (method: string, params: object): number => {
    next += 1;
    socket.write(frame(OPCODE.text, Buffer.from(JSON.stringify({ id: next, method, params }))));
    return next;
  };
  const send: Inspector['send'] = (method, params = {}) => new Promise((resolve, reject) => {
    if (socket.destroyed || !socket.writable) reject(new Error('the inspector hung up'));
    else waiting.set(write(method, params), { resolve, reject });
  });
  return {
    send,
    evaluate: async (expression) => ((await send('Runtime.evaluate', { ...EVALUATE, expression })) as Answer['result'])?.result?.value,
    hangUp: (last) => {
      const said = last !== undefined && socket.writable && !socket.destroyed;
      if (!said) { end(new Error('we hung up')); return; }
      write('Runtime.evaluate', { ...EVALUATE, expression: last });
      for (const one of waiting.values()) one.reject(new Error('we hung up'));
      waiting.clear();
      socket.resume();
      socket.end(frame(OPCODE.close, Buffer.alloc(0)), () => { socket.destroy(); });
    },
  };
}

interface Answer { id?: number; method?: string; params?: unknown; error?: { message?: string }; result?: { result?: { value?: unknown }; exceptionDetails?: { text?: string; exception?: { description?: string } } } }

function heard(waiting: Map<number, Waiting>, hearers: Hearers, text: string): void {
  const answer = JSON.parse(text) as Answer;
  if (answer.id === undefined) { hearers.get(answer.method ?? '')?.(answer.params); return; }
  const one = waiting.get(answer.id);
  if (one === undefined) return;                             // the answer to what was said while hanging up
  waiting.delete(answer.id);
  const thrown = answer.result?.exceptionDetails;
  if (answer.error !== undefined) one.reject(new Error(answer.error.message ?? 'the inspector refused'));
  else if (thrown !== undefined) one.reject(new Error(thrown.exception?.description?.split('\n')[0] ?? thrown.text ?? 'the expression threw'));
  else one.resolve(answer.result);
}

/** A frame from a client is masked (RFC 6455, 5.3). */
function frame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const size = payload.length;
  const head = size < 126 ? Buffer.from([0x80 | opcode, 0x80 | size])
    : size < 0x1_0000 ? Buffer.from([0x80 | opcode, 0x80 | 126, size >> 8, size & 0xff])
      : Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | 127, 0, 0, 0, 0]), Buffer.from([size >>> 24, (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff])]);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ (mask[i & 3] as number))]);
}

/** Cuts a stream into messages; a message may come in several frames and a frame in several pieces. */
export class FrameReader {
  readonly #onText: (text: string) => void;
  readonly #onPing: (payload: Buffer) => void;
  #pieces: Buffer[] = [];
  #have = 0;
  #message: Buffer[] = [];
  #messageBytes = 0;

  constructor(onText: (text: string) => void, onPing: (payload: Buffer) => void) {
    this.#onText = onText;
    this.#onPing = onPing;
  }

  /** False when the other side closed the conversation. @throws when a message is longer than the bound */
  push(chunk: Buffer): boolean {
    this.#pieces.push(chunk);
    this.#have += chunk.length;
    if (this.#have > ANSWER_BYTES) throw new Error(`the answer is longer than ${ANSWER_BYTES} bytes`);
    for (;;) {
      const head = this.#head();
      if (head === undefined || this.#have < head.at + head.size) return true;
      const payload = this.#take(head.at + head.size).subarray(head.at);
      if (head.opcode === OPCODE.close) return false;
      if (head.opcode === OPCODE.ping) this.#onPing(payload);
      else if (head.opcode === OPCODE.text || head.opcode === OPCODE.continued) this.#part(payload, head.last);
    }
  }

  #part(payload: Buffer, last: boolean): void {
    this.#message.push(payload);
    this.#messageBytes += payload.length;
    if (this.#messageBytes > ANSWER_BYTES) throw new Error(`the answer is longer than ${ANSWER_BYTES} bytes`);
    if (!last) return;
    const text = Buffer.concat(this.#message).toString('utf8');
    this.#message = [];
    this.#messageBytes = 0;
    this.#onText(text);
  }

  #head(): { opcode: number; last: boolean; at: number; size: number } | undefined {
    if (this.#have < 2) return undefined;
    const bytes = this.#peek(10);
    const first = bytes[0] as number;
    const short = (bytes[1] as number) & 0x7f;
    const at = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < at) return undefined;
    const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (size > ANSWER_BYTES) throw new Error(`the answer is longer than ${ANSWER_BYTES} bytes`);
    return { opcode: first & 0x0f, last: (first & 0x80) !== 0, at, size };
  }

  #peek(count: number): Buffer {
    if ((this.#pieces[0]?.length ?? 0) < count && this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return (this.#pieces[0] ?? Buffer.alloc(0)).subarray(0, count);
  }

  #take(count: number): Buffer {
    const all = this.#pieces.length === 1 ? this.#pieces[0] as Buffer : Buffer.concat(this.#pieces);
    this.#pieces = all.length > count ? [all.subarray(count)] : [];
    this.#have -= count;
    return all.subarray(0, count);
  }
}
