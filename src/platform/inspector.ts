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
  /** Ends the conversation: nobody here is answered any more. `last` is still said, and done when the other side gets to it. The line itself stays until
   *  the other side has nothing more to say; resolves then, or after 0.8 s, whichever comes first. */
  hangUp(last?: string): Promise<void>;
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
      resolve(new Conversation(socket as Socket, head, signal));
    });
    asked.on('response', (answer) => { answer.destroy(); reject(new Error(`the inspector answered ${answer.statusCode}; another debugger may be connected`)); });
    asked.on('error', reject);
    asked.end();
  });
}

interface Waiting { resolve(value: unknown): void; reject(error: Error): void }

/** Runs in the main context; `returnByValue` makes the value JSON. */
const EVALUATE = { returnByValue: true, includeCommandLineAPI: true, silent: true };
/** How long one who hangs up waits for the other side to fall silent. */
const QUIET_LIMIT_MS = 800;
/** The line is given up at the latest then: a heap snapshot of many GiB that nobody wants any more is over. */
const LINGER_LIMIT_MS = 30 * 60_000;

/**
 * Node ends with SIGSEGV when its inspector has something to say in the very moment in which the other side leaves (seen on Node 20 at the next script that
 * was compiled). So who leaves first turns off whatever it had turned on, lets the other side finish its answers, and closes then.
 */
class Conversation implements Inspector {
  readonly over: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  /** Asked and not answered yet, also by those who do not wait any more. */
  readonly #owed = new Set<number>();
  readonly #enabled = new Set<string>();
  readonly #hearers = new Map<string, (params: unknown) => void>();
  readonly #frames: FrameReader;
  #next = 0;
  #left = false;
  #quiet: Promise<void> | undefined;

  constructor(socket: Socket, head: Buffer, signal: AbortSignal) {
    this.#socket = socket;
    this.#frames = new FrameReader((text) => { this.#heard(text); }, (bytes) => { socket.write(frame(OPCODE.pong, bytes)); });
    socket.on('data', (chunk: Buffer) => { this.#take(chunk); });
    socket.on('error', (error) => { this.#end(error); });
    this.over = new Promise<void>((resolve) => { socket.on('close', () => { this.#end(new Error('the inspector hung up')); resolve(); }); });
    signal.addEventListener('abort', () => { this.#leave(signal.reason as Error); }, { once: true });
    if (head.length > 0) this.#take(head);
  }

  on(event: string, hear: (params: unknown) => void): void { if (!this.#left) this.#hearers.set(event, hear); }

  hold(yes: boolean): void {
    if (yes && !this.#left) this.#socket.pause();
    else this.#socket.resume();
  }

  send(method: string, params: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#left || this.#socket.destroyed || !this.#socket.writable) reject(new Error('the inspector hung up'));
      else this.#waiting.set(this.#write(method, params), { resolve, reject });
    });
  }

  async evaluate(expression: string): Promise<unknown> {
    return ((await this.send('Runtime.evaluate', { ...EVALUATE, expression })) as Answer['result'])?.result?.value;
  }

  hangUp(last?: string): Promise<void> {
    if (!this.#left && last !== undefined && this.#socket.writable) this.#write('Runtime.evaluate', { ...EVALUATE, expression: last });
    this.#leave(new Error('we hung up'));
    this.#quiet ??= this.#becomesQuiet();
    return this.#quiet;
  }

  async #becomesQuiet(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.over, new Promise((resolve) => { timer = setTimeout(resolve, QUIET_LIMIT_MS); })]);
    clearTimeout(timer);
  }

  #write(method: string, params: object): number {
    this.#next += 1;
    const [domain = '', verb] = method.split('.');
    if (verb === 'enable') this.#enabled.add(domain);
    if (method === WAITS_FOR_US) this.#enabled.add(method);
    this.#owed.add(this.#next);
    this.#socket.write(frame(OPCODE.text, Buffer.from(JSON.stringify({ id: this.#next, method, params }))));
    return this.#next;
  }

  #leave(error: Error): void {
    this.#refuseAll(error);
    if (this.#left) return;
    this.#left = true;
    this.#hearers.clear();
    this.#socket.resume();
    this.#socket.unref();
    if (!this.#socket.writable) { this.#socket.destroy(); return; }
    for (const one of this.#enabled) {
      if (one === WAITS_FOR_US) this.#write(WAITS_FOR_US, { enabled: false });
      else this.#write(`${one}.disable`, {});
    }
    const timer = setTimeout(() => { this.#close(); }, LINGER_LIMIT_MS).unref();
    this.#socket.on('close', () => { clearTimeout(timer); });
    if (this.#owed.size === 0) this.#close();
  }

  #close(): void { this.#socket.end(frame(OPCODE.close, Buffer.alloc(0)), () => { this.#socket.destroy(); }); }

  #end(error: Error): void {
    this.#socket.destroy();
    this.#refuseAll(error);
  }

  #refuseAll(error: Error): void {
    for (const one of this.#waiting.values()) one.reject(error);
    this.#waiting.clear();
  }

  #take(chunk: Buffer): void {
    try {
      if (!this.#frames.push(chunk)) this.#end(new Error('the inspector hung up'));
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #heard(text: string): void {
    const answer = JSON.parse(text) as Answer;
    if (answer.id === undefined) { this.#hearers.get(answer.method ?? '')?.(answer.params); return; }
    this.#owed.delete(answer.id);
    if (this.#left && this.#owed.size === 0) { this.#close(); return; }
    const one = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    const thrown = answer.result?.exceptionDetails;
    if (answer.error !== undefined) one?.reject(new Error(answer.error.message ?? 'the inspector refused'));
    else if (thrown !== undefined) one?.reject(new Error(thrown.exception?.description?.split('\n')[0] ?? thrown.text ?? 'the expression threw'));
    else one?.resolve(answer.result);
  }
}

const WAITS_FOR_US = 'NodeRuntime.notifyWhenWaitingForDisconnect';

interface Answer { id?: number; method?: string; params?: unknown; error?: { message?: string }; result?: { result?: { value?: unknown }; exceptionDetails?: { text?: string; exception?: { description?: string } } } }

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
