// Owns the reading of text logs into events: known lines by what they mean, exceptions, and the front's word on single requests, in bounded memory.
import { routeOf } from '../../observe/http-log/route.ts';
import { readEntries } from '../../observe/logs/entries.ts';
import type { LogLine } from '../../shared/model.ts';
import type { ArtifactReader } from '../contracts.ts';
import { LogGathering, writerOf, type ExceptionGroup } from '../parse/exceptions.ts';
import { cut, oneLine } from '../parse/words.ts';
import type { EventRow } from '../parse/exits.ts';
import type { SignEvent, ThreadsEvent } from './event.ts';
import { frontLine, frontText, type FrontLine } from './front-lines.ts';
import { SlowLog, standsIn } from './php-slow.ts';
import { signOf } from './signs.ts';
import { isThreadDump, ThreadDumpReading } from './thread-dump.ts';

export interface LogEvents {
  readonly signs: readonly SignEvent[];
  readonly exceptions: readonly ExceptionGroup[];
  readonly front: readonly FrontLine[];
  readonly frontLost: number;
  readonly threads: readonly ThreadsEvent[];
  readonly entries: number;
  readonly files: readonly string[];
  /** Some file is of nginx, of PHP: what was looked at, for what can be ruled out. */
  readonly ofFront: boolean; readonly ofApp: boolean;
  readonly lastLines: ReadonlyMap<string, string>;             // the last entry of a log, by file: how a process ended
}

const MAX_SIGNS = 300;
const KEPT_TIMES = 5_000;
const MAX_FRONT_LINES = 20_000;
const MAX_PIDS = 200;
const MAX_ROUTES = 50;
/** As most loggers of requests write it. */
const REQUEST = /\b(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) "?(?:https?:\/\/[^/\s]{1,200})?(\/[^\s"'?#,;)]{0,300})/;

export class LogReading {
  readonly #signs = new Map<string, SignEvent>();
  readonly #gathering = new LogGathering();
  readonly #front: FrontLine[] = [];
  readonly #threads: ThreadsEvent[] = [];
  readonly #files: string[] = [];
  readonly #lastLines = new Map<string, string>();
  #frontLost = 0;
  #entries = 0;
  #ofFront = false;
  #ofApp = false;

  /** @throws what the stream throws, and the signal's reason */
  async read(reader: ArtifactReader, cancel: AbortSignal): Promise<void> {
    const { name } = reader.ref;
    this.#files.push(name);
    if (reader.ref.kind === 'thread-dump' || await isThreadDump(reader)) {
      this.#threads.push(...await new ThreadDumpReading(name).read(reader, cancel));
      return;
    }
    let last = '';
    const slow = new SlowLog((script) => { this.#note('php-slow', standsIn(script.text), { at: script.at, pid: undefined, text: script.text, where: script.where }); });
    for await (const line of readEntries(reader.stream() as AsyncIterable<Uint8Array>, name)) {
      cancel.throwIfAborted();
      last = line.text;
      if (slow.push(line.text, line.at, placeOf(name, line))) { this.#entries += 1; this.#ofApp = true; } else this.#entry(line, name);
    }
    slow.flush();
    if (this.#lastLines.size < MAX_PIDS) this.#lastLines.set(name, cut(last, 400));
  }

  /** Rows of the event log speak the same language: a .NET exception, a fault of a module. */
  row(row: EventRow): void {
    const line: LogLine = { at: row.at, source: 'eventlog', offset: 0, cursor: '', level: row.level === 'info' ? 'info' : row.level, text: row.text };
    this.#entries += 1;
    this.#sign(line, `event log, ${row.provider} ${row.id}`, faultingPid(row.text));
    this.#gathering.add({ ...line, text: exceptionText(row) ?? line.text }, 'eventlog.json');
  }

  #entry(line: LogLine, name: string): void {
    this.#entries += 1;
    const front = frontText(line.text);
    if (front) {
      this.#ofFront = true;
      const told = frontLine(line.text, placeOf(name, line));
      if (told && this.#front.length < MAX_FRONT_LINES) this.#front.push(told);
      else if (told) this.#frontLost += 1;
      this.#ofFrontLine(line, front, name);
      return;
    }
    this.#ofApp = true;
    this.#sign(line, placeOf(name, line), writerOf(name, line.text));
    this.#gathering.add(line, name);
  }

  /** Of the front's own lines only those count that speak of the front itself, or carry what PHP said: its view of the app is no call of the app's. */
  #ofFrontLine(line: LogLine, front: { at: number; text: string }, name: string): void {
    const said = /FastCGI sent in stderr: "([\s\S]*)/.exec(front.text)?.[1];
    if (said !== undefined) { const inner = { ...line, at: front.at, text: said }; this.#sign(inner, placeOf(name, line), undefined); this.#gathering.add({ ...inner, level: 'error' }, name); return; }
    const found = signOf(front.text);
    if (found && OF_FRONT.has(found.sign)) this.#note(found.sign, found.named, { at: front.at, pid: undefined, text: line.text, where: placeOf(name, line) });
  }

  #sign(line: LogLine, where: string, pid: number | undefined): void {
    const found = signOf(line.text);
    if (found) this.#note(found.sign, found.named, { at: line.at, pid, text: line.text, where });
  }

  #note(sign: SignEvent['sign'], named: string | undefined, of: { at: number | undefined; pid: number | undefined; text: string; where: string }): void {
    const key = `${sign}|${named ?? ''}`;
    let event = this.#signs.get(key);
    if (event === undefined) {
      if (this.#signs.size >= MAX_SIGNS) return;
      event = { sign, key, named: named === undefined ? undefined : oneLine(named, 120), count: 0, untimed: 0, times: [], pids: new Set(), routes: new Map(), proof: { where: of.where, line: cut(of.text, 600) }, text: oneLine(of.text, 240) };
      this.#signs.set(key, event);
    }
    event.count += 1;
    if (of.at === undefined) event.untimed += 1;
    else if (event.times.length < KEPT_TIMES) event.times.push(of.at);
    const request = REQUEST.exec(of.text.length > 2_000 ? of.text.slice(0, 2_000) : of.text);
    if (request?.[1] !== undefined && request[2] !== undefined) {
      const route = `${request[1]} ${routeOf(request[2])}`;
      if (event.routes.has(route) || event.routes.size < MAX_ROUTES) event.routes.set(route, (event.routes.get(route) ?? 0) + 1);
    }
    if (of.pid !== undefined && event.pids.size < MAX_PIDS) event.pids.add(of.pid);
  }

  told(): LogEvents {
    for (const { times } of this.#signs.values()) times.sort((a, b) => a - b);
    return {
      signs: [...this.#signs.values()].sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)), exceptions: this.#gathering.told(this.#files.length).exceptions,
      front: this.#front.sort((a, b) => a.at - b.at), frontLost: this.#frontLost, threads: this.#threads, entries: this.#entries, files: this.#files, ofFront: this.#ofFront, ofApp: this.#ofApp, lastLines: this.#lastLines,
    };
  }
}

/** ASP.NET's event of a request that ended in an exception: type, message and stack are fields of their own, in this order. */
function exceptionText({ provider, id, text }: EventRow): string | undefined {
  if (!provider.startsWith('ASP.NET') || id !== 1309) return undefined;
  const lines = text.split(/\r?\n/);
  const at = lines.findIndex((line) => /^[A-Z][\w.]*(?:Exception|Error)$/.test(line.trim()));
  return at < 0 ? undefined : `${lines[at]?.trim()}: ${lines.slice(at + 1, at + 40).join('\n').trim().replace(/ at (?=[A-Z][\w.]+\.\w+\()/g, '\n   at ')}`;
}

const OF_FRONT = new Set<SignEvent['sign']>(['no-descriptors', 'upstream-header', 'disk-full', 'config-error']);

function placeOf(name: string, line: LogLine): string {
  return `${oneLine(name, 120)}, byte ${line.offset}`;
}

function faultingPid(text: string): number | undefined {
  const hex = /Faulting process id: 0x([0-9a-f]{1,8})\b/i.exec(text)?.[1];
  const plain = /\bprocess(?: id)?:? '?(\d{1,9})\b/i.exec(text)?.[1];
  const pid = hex === undefined ? Number(plain) : Number.parseInt(hex, 16);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}
