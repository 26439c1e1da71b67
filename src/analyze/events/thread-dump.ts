// Owns the reading of a Java thread dump (jstack, kill -3, jcmd Thread.print): deadlocks by its own word or by its locks, and what the threads wait for.
import type { ArtifactReader } from '../contracts.ts';
import { oneLine } from '../parse/words.ts';
import type { ThreadsEvent } from './event.ts';

const HEAD = /^Full thread dump /m;
/** A dump of ten thousand threads is some 20 MB. */
const MAX_BYTES = 64 * 1024 * 1024;
const SNIFF_BYTES = 256 * 1024;
const MAX_PLACES = 12;
const FRAMES_KEPT = 12;

/** By its own first line, or by threads as only the JVM prints them. */
export async function isThreadDump(reader: ArtifactReader): Promise<boolean> {
  if (reader.ref.kind !== 'application-log' && reader.ref.kind !== 'thread-dump') return false;
  const { text } = await reader.text(SNIFF_BYTES);
  return HEAD.test(text) || (/^"[^"\n]{1,200}" .*\bnid=0x[0-9a-f]+/m.test(text) && /java\.lang\.Thread\.State: /.test(text));
}

interface Thread { readonly name: string; readonly state: string; readonly frames: readonly string[]; readonly holds: readonly string[]; readonly wants: string | undefined }

export class ThreadDumpReading {
  readonly #name: string;
  constructor(name: string) { this.#name = name; }

  /** One event per dump in the file. */
  async read(reader: ArtifactReader, cancel: AbortSignal): Promise<ThreadsEvent[]> {
    const { text } = await reader.text(MAX_BYTES);
    cancel.throwIfAborted();
    const starts = [...text.matchAll(/^Full thread dump .*$/gm)].map((m) => m.index);
    const begins = starts.length === 0 ? [0] : starts;
    return begins.map((begin, i) => this.#one(text, begin, begins[i + 1] ?? text.length)).filter((e) => e.total > 0);
  }

  #one(text: string, begin: number, end: number): ThreadsEvent {
    const body = text.slice(begin, end);
    const threads = threadsOf(body);
    const said = /Found (?:one|\d+) Java-level deadlocks?:?/.test(body);
    const deadlock = said ? toldDeadlock(body) : cycleOf(threads);
    const waiting = placesOf(threads);
    return {
      at: timeBefore(text, begin), total: threads.length, deadlock, waiting, busyWorkers: workersOf(threads),
      stack: stackOf(threads, deadlock), proof: { where: `${oneLine(this.#name, 120)}, byte ${begin}`, line: deadlock.length > 0 ? deadlock.join(' ↔ ') : undefined },
    };
  }
}

/** jstack writes the instant in the line above its head. */
function timeBefore(text: string, begin: number): number | undefined {
  const line = text.slice(Math.max(0, begin - 40), begin).trim().split('\n').at(-1) ?? '';
  const found = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/.exec(line);
  return found ? Date.parse(`${found[1]}T${found[2]}Z`) : undefined;
}

function threadsOf(body: string): Thread[] {
  const threads: Thread[] = [];
  for (const block of body.split(/\n(?=")/)) {
    const name = /^"([^"\n]{1,300})"/.exec(block)?.[1];
    if (name === undefined) continue;
    const lines = block.split('\n');
    const holds: string[] = [];
    let wants: string | undefined;
    for (const line of lines) {
      const lock = /^\s+- (locked|waiting to lock|parking to wait for|waiting on) +<(0x[0-9a-f]+)>/.exec(line);
      if (lock?.[1] === 'locked') holds.push(lock[2] as string);
      else if (lock?.[1] === 'waiting to lock' || lock?.[1] === 'parking to wait for') wants ??= lock[2];
      const owned = /^\s+- <(0x[0-9a-f]+)> \(a java\.util\.concurrent\.locks/.exec(line);
      if (owned) holds.push(owned[1] as string);
    }
    threads.push({ name: oneLine(name, 80), state: /java\.lang\.Thread\.State: (\w+)/.exec(block)?.[1] ?? '', frames: lines.filter((l) => /^\s+at /.test(l)).map((l) => l.trim().replace(/^at /, '')), holds, wants });
  }
  return threads;
}

/** The names in the JVM's own words about a deadlock. */
function toldDeadlock(body: string): string[] {
  const from = body.search(/Found (?:one|\d+) Java-level deadlocks?:?/);
  const to = body.indexOf('Java stack information', from);
  return [...new Set([...body.slice(from, to < 0 ? from + 8_000 : to).matchAll(/^"([^"\n]{1,300})":/gm)].map((m) => oneLine(m[1] ?? '', 80)))];
}

/** Who waits for whom, until a thread comes again. */
function cycleOf(threads: readonly Thread[]): string[] {
  const ownerOf = new Map<string, Thread>();
  for (const thread of threads) for (const lock of thread.holds) if (lock !== thread.wants) ownerOf.set(lock, thread);
  for (const start of threads) {
    const path: Thread[] = [];
    for (let one: Thread | undefined = start; one?.wants !== undefined && !path.includes(one); one = ownerOf.get(one.wants)) {
      path.push(one);
      const owner = ownerOf.get(one.wants);
      if (owner === start && owner !== one) return path.map((t) => t.name);
    }
  }
  return [];
}

const NETWORK = /SocketInputStream\.(?:socketR|r)ead|NioSocketImpl\.(?:park|read|implRead)|SocketDispatcher\.read|Net\.poll|EPoll\w*\.(?:wait|epollWait)|socketConnect|NioSocketImpl\.connect/;
const POOL = /HikariPool\.getConnection|borrowObject|PoolingConnectionProvider|ConnectionPool\.\w*(?:acquire|borrow|get)|PoolEntryFuture|LeasedConnection|getPoolEntryBlocking/;
/** It waits for what another thread is to compute. */
const TASK = /FutureTask\.(?:awaitDone|get)|CompletableFuture\.(?:get|join|waitingGet|timedGet)|ForkJoinTask\.(?:get|join|awaitDone)|CompletableFuture\$Signaller|CountDownLatch\.await|AbstractExecutorService\.invoke(?:All|Any)/;
const IDLE = /ThreadPoolExecutor\.getTask|LinkedBlockingQueue\.take|TaskQueue\.(?:take|poll)|ForkJoinPool\.(?:awaitWork|runWorker)|ReferenceQueue|SynchronousQueue\.(?:take|poll)|ScheduledThreadPoolExecutor|EPollSelectorImpl|KQueueSelectorImpl|ServerSocketChannelImpl\.accept|Net\.accept|socketAccept|BlockPoller/;
const THEIRS = /^(?:java\.base\/|java\.|javax\.|jakarta\.|jdk\.|sun\.|com\.sun\.|org\.apache\.|org\.springframework\.|org\.eclipse\.|io\.netty|com\.zaxxer|org\.hibernate)/;

type Kind = ThreadsEvent['waiting'][number]['kind'];

function kindOf(thread: Thread): Kind | undefined {
  const text = thread.frames.slice(0, 40).join('\n');
  if (POOL.test(text)) return 'pool';
  if (thread.state === 'BLOCKED') return 'lock';
  if (thread.frames.length === 0 || IDLE.test(thread.frames.slice(0, 14).join('\n'))) return undefined;
  if (NETWORK.test(thread.frames.slice(0, 10).join('\n'))) return 'network';
  if (TASK.test(thread.frames.slice(0, 14).join('\n'))) return 'task';
  return thread.state === 'WAITING' || thread.state === 'TIMED_WAITING' ? 'lock' : 'other';
}

/** Threads that stand at the same place of the app's own code, most first. */
function placesOf(threads: readonly Thread[]): ThreadsEvent['waiting'] {
  const places = new Map<string, { place: string; threads: number; kind: Kind }>();
  for (const thread of threads) {
    const kind = kindOf(thread);
    if (kind === undefined) continue;
    const own = thread.frames.find((f) => !THEIRS.test(f)) ?? thread.frames[0] ?? '';
    const place = oneLine(own, 160);
    const known = places.get(`${kind} ${place}`) ?? { place, threads: 0, kind };
    places.set(`${kind} ${place}`, { ...known, threads: known.threads + 1 });
  }
  return [...places.values()].sort((a, b) => b.threads - a.threads || (a.place < b.place ? -1 : 1)).slice(0, MAX_PLACES);
}

const WORKER = /exec-\d+|http-(?:nio|apr|bio|worker)|qtp\d+|XNIO-\d+ task|default task-|jetty|undertow|worker-thread|pool-\d+-thread/i;

/** Threads that answer requests, and how many of them are at something. */
function workersOf(threads: readonly Thread[]): ThreadsEvent['busyWorkers'] {
  const workers = threads.filter((t) => WORKER.test(t.name) && !/Acceptor|Poller|ClientPoller|BlockPoller|I\/O/i.test(t.name));
  return workers.length === 0 ? undefined : { total: workers.length, busy: workers.filter((t) => kindOf(t) !== undefined).length };
}

function stackOf(threads: readonly Thread[], deadlock: readonly string[]): string[] {
  return deadlock.slice(0, 2).flatMap((name) => [`"${name}"`, ...threads.find((t) => t.name === name)?.frames.slice(0, FRAMES_KEPT).map((f) => `  at ${oneLine(f, 200)}`) ?? []]);
}
