// Owns the app's end of the link: it listens where only the agent knows, says hello, and sends each frame to whoever is connected.
import { mkdir, rename, rm, rmSync, stat, writeFile } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import type { Announcement, AppFrame, AppHello } from '../shared/app-link.ts';
import { Answer, frameOf } from './answer.ts';
import { guarded } from './guarded.ts';
import { newAddress, type Places } from './places.ts';
import { epoch } from './time.ts';

/** Two agents of an instance, and somebody who looks. */
const MAX_LISTENERS = 4;
/** A listener that reads nothing for so many bytes gets no more until it does. */
const MAX_WAITING_BYTES = 2 ** 20;
const MAX_FRAME_BYTES = 2 ** 20;
/** What asks is short; whoever sends more is not the agent. */
const MAX_ASK_BYTES = 4_096;
const SPOOL_SLOTS = 12;
/** The agent keeps its wish fresh; one that has ended wants nothing. */
const WANT_FRESH_MS = 60_000;
const MODE = 0o640;

export interface LinkOptions {
  readonly places: Places;
  readonly preload: string;
  /** Somebody listens now who did not before. */
  onListener(): void;
  /** The agent has asked; `wanted` may be anything. */
  onAsk(wanted: unknown, answer: Answer): void;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #listeners = new Set<Socket>();
  readonly #key = randomBytes(16).toString('hex');
  #server: Server | undefined;
  #address: string | undefined;
  #wantedAsFiles = false;
  #slot = 0;
  #spooling = false;
  #unsent = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  isOwn(server: object): boolean { return server === this.#server; }

  get isHeard(): boolean { return this.#listeners.size > 0 || this.#wantedAsFiles; }

  /** Listens and announces; whatever fails leaves the app without a link, and nothing else. */
  open(): void {
    const address = newAddress();
    const server = createServer(guarded((socket: Socket) => { this.#join(socket); }));
    server.on('error', () => { this.#server = undefined; });
    // Exclusive: a worker of a cluster must listen by itself, not through its primary.
    server.listen({ path: address, exclusive: true }, guarded(() => { this.#announce(address); }));
    server.unref();
    this.#server = server;
    this.#address = address;
  }

  #announce(address: string): void {
    const { places, preload } = this.#options;
    const announcement: Announcement = { version: 1, pid: process.pid, startedAt: places.startedAt, node: process.version.slice(0, 40), preload, address, key: this.#key };
    mkdir(places.folder, { recursive: true }, () => { writeWhole(places.announcement, JSON.stringify(announcement)); });
  }

  #join(socket: Socket): void {
    socket.on('error', () => { socket.destroy(); });
    if (this.#listeners.size >= MAX_LISTENERS) { socket.destroy(); return; }
    socket.unref();
    socket.on('close', () => { this.#listeners.delete(socket); });
    this.#hear(socket);
    const { places, preload } = this.#options;
    const hello: AppHello = { type: 'hello', version: 1, pid: process.pid, startedAt: places.startedAt, node: process.version.slice(0, 40), preload, at: epoch() };
    socket.write(frameOf(hello));
    this.#listeners.add(socket);
    this.#options.onListener();
  }

  /** A listener says nothing, or asks once: from then on it is no listener. */
  #hear(socket: Socket): void {
    let heard: Buffer = Buffer.alloc(0);
    let asked = false;
    socket.on('data', guarded((bytes: Buffer) => {
      if (asked) return;
      heard = Buffer.concat([heard, bytes]);
      const size = heard.length < 4 ? 0 : heard.readUInt32LE(0);
      if (size > MAX_ASK_BYTES || heard.length > MAX_ASK_BYTES + 4) { socket.destroy(); return; }
      if (heard.length < 4 || heard.length < size + 4) return;
      asked = true;
      this.#asked(socket, heard.toString('utf8', 4, size + 4));
    }));
  }

  #asked(socket: Socket, text: string): void {
    this.#listeners.delete(socket);
    const ask = parsed(text);
    if (ask?.['type'] !== 'ask' || ask['version'] !== 1 || ask['key'] !== this.#key) { socket.destroy(); return; }
    this.#options.onAsk(ask['wanted'], new Answer(socket));
  }

  /** True when the next frame would reach nobody: what is counted is better kept. */
  get isStuck(): boolean {
    return !this.#wantedAsFiles && this.#listeners.size > 0 && [...this.#listeners].every((one) => one.writableLength > MAX_WAITING_BYTES);
  }

  send(frame: AppFrame): void {
    const bytes = frameOf(frame);
    if (bytes.length > MAX_FRAME_BYTES) { this.#unsent += 1; return; }
    for (const socket of this.#listeners) {
      if (socket.writableLength > MAX_WAITING_BYTES) this.#unsent += 1;
      else socket.write(bytes);
    }
    if (this.#wantedAsFiles && this.#listeners.size === 0) this.#spool(bytes);
  }

  #spool(bytes: Buffer): void {
    if (this.#spooling) { this.#unsent += 1; return; }
    this.#spooling = true;
    const path = this.#options.places.frame(this.#slot);
    this.#slot = (this.#slot + 1) % SPOOL_SLOTS;
    writeWhole(path, bytes, () => { this.#spooling = false; });
  }

  /** Asks whether an agent that cannot connect wants files; a look at the share, never waited for. */
  look(): void {
    if (this.#listeners.size > 0) { this.#wantedAsFiles = false; return; }
    stat(this.#options.places.want, guarded((error: Error | null, seen?: { mtimeMs: number }) => {
      const before = this.#wantedAsFiles;
      this.#wantedAsFiles = error === null && seen !== undefined && Math.abs(epoch() - seen.mtimeMs) < WANT_FRESH_MS;
      if (this.#wantedAsFiles && !before) this.#options.onListener();
    }));
  }

  /** At the end of the process: its files go, at once. */
  close(): void {
    if (this.#server === undefined) return;
    const { places } = this.#options;
    for (const path of [places.announcement, places.want, ...process.platform === 'win32' || this.#address === undefined ? [] : [this.#address]]) rmSync(path, { force: true });
  }

  lost(): [string, number][] {
    return [['frames that could not be sent', this.#unsent]];
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? value as Readonly<Record<string, unknown>> : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all. */
function writeWhole(path: string, content: string | Buffer, done: () => void = () => undefined): void {
  const temp = `${path}.tmp`;
  writeFile(temp, content, { mode: MODE }, (error) => {
    if (error !== null) { rm(temp, { force: true }, done); return; }
    rename(temp, path, () => { done(); });
  });
}
