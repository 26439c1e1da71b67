// Owns the narrow door to everything outside this process; nothing else in src/ asks what OS this is.
import type { AppInfo, Capability, Offer, ProcessInfo, ProcessKey } from '../shared/model.ts';
import type { HostFact, Runtime, ThreadState } from '../shared/surroundings.ts';
import type { Clock } from './clock.ts';
import type { Inspector } from './inspector.ts';
import type { Shells } from './shell/shell.ts';

/** Absolute folders of the home, laid out as on App Service. */
export interface Folders {
  readonly home: string;
  readonly logs: string;        // LogFiles
  readonly site: string;        // site/wwwroot
  readonly deployments: string; // site/deployments
  readonly data: string;        // data/DaaS
  readonly own: string;         // data/DaaS/diag: everything of our own
  readonly temp: string;        // local disk, not the share
}

export interface Host {
  readonly app: AppInfo;
  readonly folders: Folders;
  /** Start times of processes are told so much too early, always by the same: what is ordered with other instants adds it. Absent: they are right. */
  readonly startsEarlyMs?: number;
}

/** What a byte of a JavaScript heap's ordinary objects holds, from some of its pages, and the large arrays beside. */
export interface HeapDensity {
  readonly objects: number;
  /** Of them objects of the program, each with a prototype: not strings, numbers, or V8's own. */
  readonly receivers: number;
  /** To other objects, maps not counted. */
  readonly references: number;
  /** Of them those in the elements of objects, which a snapshot tells twice: of the object, and of its store. */
  readonly elements: number;
  readonly strings: number;
  /** Of the strings those that V8 keeps once for all their uses: names, and short texts of parsed JSON. */
  readonly internalized: number;
  /** Of strings, at most as many of each as a snapshot keeps. */
  readonly characters: number;
  /** Of strings that V8 does not keep once, so many different ones in the whole heap; a sample without a repeated one tells far too many. */
  readonly differentTexts: number;
  /** Of all large arrays together; and of them in elements of objects. */
  readonly largeReferences: number;
  readonly largeElements: number;
  /** Places that hold a reference in at least one array. */
  readonly arrayPlaces: number;
  readonly walkedBytes: number;
  /** Of the same pages, where no object was recognized. */
  readonly lostBytes: number;
  /** Memory of the process beside its JavaScript heap that it holds and uses for nothing, and will use again before it asks for more: an earlier snapshot leaves its own. */
  readonly freeBytes?: number;
  /** Of this machine at the time of the look: until a word of far memory is read, and until a page is made ready. */
  readonly memory?: { readonly waitNs: number; readonly pageUs: number };
  /** How many times as long as its work the look took, since others wanted the processors too; absent where the kernel does not tell. */
  readonly slowdown?: number;
}

/** Counters of one process since its start, or at this instant. Absent = could not be read. */
export interface Usage {
  readonly startedAt: number;
  readonly cpuMs: number;             // user + kernel time since the start
  readonly workingSetBytes?: number;
  readonly privateBytes?: number;
  readonly threads?: number;
  readonly handles?: number;
  readonly ioReadBytes?: number;      // since the start, devices and pipes too
  readonly ioWriteBytes?: number;
}

export interface HostUsage {
  readonly busyMs?: number;           // of all cores, since boot
  readonly totalMs?: number;          // of all cores, since boot
  readonly cores: number;
  readonly memoryUsedBytes?: number;  // the container's where it has a limit, else the host's
  readonly memoryTotalBytes?: number;
  readonly diskFreeBytes?: number;    // of the home
  readonly diskTotalBytes?: number;
}

/** What a close look at one process tells beyond its samples. Absent = its system does not tell. */
export interface Account {
  readonly userMs?: number;           // of all its threads since the start, ended ones too
  readonly kernelMs?: number;
  readonly peakWorkingSetBytes?: number;
  readonly virtualBytes?: number;
  readonly peakVirtualBytes?: number;
  readonly pagedBytes?: number;       // Windows: the commit charge; Linux: what lies in swap
  readonly peakPagedBytes?: number;
  readonly pagedPoolBytes?: number;   // Windows
  readonly nonPagedPoolBytes?: number;
}

/** How much of the memory goes into a dump: all of it; stacks and what they point to; stacks alone. */
export type DumpKind = 'full' | 'mini-plus' | 'mini';

export interface DumpResult {
  readonly engine: string;            // 'gcore'
  readonly bytes: number;
  readonly pausedMs?: number;         // measured; absent when it could not be
  readonly kind: 'core-dump' | 'minidump';
  readonly note?: string;             // why not another way: "no clone: …"
}

/** What a process is held for until it happens. */
export interface FaultOrder {
  readonly file: string;
  /** A fault signal such as SIGSEGV or SIGABRT: none; where nothing in the process catches it; each one. */
  readonly faults: 'none' | 'unhandled' | 'first';
  /** In the last moment of the process, whatever ends it but a KILL that the kernel does not announce. */
  readonly exit: boolean;
  /** Further signals whose delivery counts. */
  readonly signals: readonly NodeJS.Signals[];
  /** Called when the process is held. */
  watching?(): void;
  progress?(doneBytes: number, ofBytes: number): void;
}

export type FaultEnd = { readonly happened: 'dumped'; readonly result: DumpResult; readonly says: string } | { readonly happened: 'ended' };

export interface PausePrediction { readonly engine: string; readonly pauseMs: number }

/** A program file that a process has loaded; the address in hexadecimal. The version is what a Windows file says of itself. */
export interface Module { readonly path: string; readonly address: string; readonly sizeBytes: number; readonly version?: string }

export interface Thread {
  readonly id: number;
  readonly startedAt?: number;
  readonly cpuMs?: number;            // user and kernel
  readonly userMs?: number;
  readonly kernelMs?: number;
  readonly name?: string;
  readonly state?: ThreadState;
  readonly waitsIn?: string;          // Linux: the kernel function; Windows: the reason of the wait
  readonly priority?: number;         // as its system counts
  readonly basePriority?: number;     // Windows
  readonly startAddress?: string;     // Windows, hexadecimal
}

/** One counter that the hosting platform keeps of the site, with its limit where there is one. */
export interface Counter { readonly group: 'app' | 'clr' | 'aspnet'; readonly name: string; readonly value: number; readonly limit?: number }

/** One TCP connection or listening port. Without a pid: it belongs to no process any more (it only waits to end), or the system does not tell whose it is. */
export interface Connection { readonly pid?: number; readonly localHost: string; readonly localPort: number; readonly remoteHost: string; readonly remotePort: number; readonly state: string }

export interface Variable { readonly name: string; readonly value: string }

export interface EventLogRow { readonly at: number; readonly id: number; readonly record?: number; readonly provider: string; readonly level: 'error' | 'warn' | 'info'; readonly text: string; readonly computer?: string }

export interface Platform {
  readonly host: Host;
  /** Asked before a button is drawn; a missing ability carries its reason. */
  can(what: Capability): Offer;
  readonly clock: Clock;
  /** The site's processes and our own (marked `ours`), parents before children. */
  processes(signal: AbortSignal): Promise<readonly ProcessInfo[]>;
  /** One pass over all; a vanished pid is absent, not an error. */
  usage(pids: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, Usage>>;
  hostUsage(signal: AbortSignal): Promise<HostUsage>;
  /** Our own counters (cpu, memory). */
  ownUsage(): Usage;
  /** @throws DiagError PROCESS_GONE, PROCESS_DENIED, CAPABILITY_MISSING */
  openFiles(pid: number, signal: AbortSignal): Promise<readonly string[]>;
  /** What these processes have, and what lies in their network without an owner. @throws as openFiles */
  connections(pids: readonly number[], signal: AbortSignal): Promise<readonly Connection[]>;
  /** Raw, unmasked: mask before it leaves the process. @throws as openFiles */
  environment(pid: number, signal: AbortSignal): Promise<readonly Variable[]>;
  /** The program files of a process, in the order of their loading. `versions`: opens each file for its version where files have one. @throws as openFiles */
  modules(pid: number, signal: AbortSignal, versions?: boolean): Promise<readonly Module[]>;
  /** Absent where the system tells nothing of it. @throws as openFiles */
  account?(pid: number, signal: AbortSignal): Promise<Account>;
  /** @throws as openFiles */
  threads(pid: number, signal: AbortSignal): Promise<readonly Thread[]>;
  /** What the hosting platform counts for the site, read anew at each call; empty where it counts nothing. */
  counters(): readonly Counter[];
  /** The runtimes on our PATH with their versions; starts each once, in a bounded time. Ask rarely and keep the answer. */
  runtimes(signal: AbortSignal): Promise<readonly Runtime[]>;
  /** What this machine is: system, processor, memory, limits. What cannot be read is absent. */
  hostFacts(signal: AbortSignal): Promise<readonly HostFact[]>;
  /** Rough size of a dump, a full one unless said, for the check of free room. */
  dumpEstimate(target: ProcessKey, signal: AbortSignal, kind?: DumpKind): Promise<number>;
  /** The file is whole when this resolves; on failure or abort nothing is left and the target runs. @throws DUMP_FAILED, PROCESS_REUSED, PROCESS_GONE, CANCELLED */
  dump(target: ProcessKey, file: string, signal: AbortSignal, kind?: DumpKind, progress?: (doneBytes: number, ofBytes: number) => void): Promise<DumpResult>;
  /** How long that dump would stop the process, by the engine that would be tried first: at most likely, not measured. */
  dumpPause(target: ProcessKey, signal: AbortSignal, kind?: DumpKind): Promise<PausePrediction>;
  /** Whether a process can be held until a fault, and if not, why. */
  faultsOffered(): Offer;
  /** Holds the process, which runs on, until a fault, a signal or its end, and takes a dump in that very moment. The abort lets it go unharmed.
   *  Nothing else can dump it meanwhile. @throws DUMP_FAILED, CANCELLED, CAPABILITY_MISSING, PROCESS_GONE, PROCESS_REUSED, PROCESS_OURS */
  dumpAtFault(target: ProcessKey, order: FaultOrder, signal: AbortSignal): Promise<FaultEnd>;
  /** What `dump` can be asked for; without one it takes the first. Empty: no dump at all. */
  readonly dumpKinds: readonly DumpKind[];
  /** Is a diagnostic report possible for this process, and if not, why. */
  nodeReportOffered(target: ProcessInfo): Offer;
  /** Node's diagnostic report as its JSON text. @throws NODE_REPORT_FAILED */
  nodeReport(target: ProcessKey, signal: AbortSignal): Promise<string>;
  /** Opens the inspector of a Node process, or uses an open one, lets `work` talk to it, and closes what was opened. Offered as nodeReportOffered says.
   *  @throws INSPECTOR_FAILED, CANCELLED, PROCESS_GONE, PROCESS_REUSED, PROCESS_OURS */
  inspect<T>(target: ProcessKey, signal: AbortSignal, work: (inspector: Inspector) => Promise<T>): Promise<T>;
  /** Bytes that this process may still take before its container, its plan or the machine is full; undefined where nobody tells. */
  memoryLeft(pid: number, signal: AbortSignal): Promise<number | undefined>;
  /** What the JavaScript heap of a Node process is made of, seen from outside while it runs on; undefined where its memory may not be read or is not understood. */
  heapDensity?(pid: number, signal: AbortSignal): Promise<HeapDensity | undefined>;
  /** Ends this very process and its children: asks, waits `graceMs`, then kills. Never the agent, its parents or a reused pid. @throws PROCESS_OURS, PROCESS_REUSED, PROCESS_GONE */
  end(target: ProcessKey, graceMs: number, signal: AbortSignal): Promise<void>;
  /** Where `can('overlapped-restart')`: a second worker is started beside this one, gets the new requests once it answers, and this one is ended when it has answered what it had.
   *  @throws RESTART_REFUSED (this one serves on), CANCELLED (what was begun goes on) */
  replaceWorker?(target: ProcessKey, signal: AbortSignal, progress: (note: string) => void): Promise<{ readonly pid: number }>;
  /** Shells for the page's terminal. */
  readonly shells: Shells;
  /** Rows of eventlog.xml as it is now, oldest first; a torn file gives the rows that are whole. */
  eventLog(signal: AbortSignal): Promise<readonly EventLogRow[]>;
  /** Releases what is kept open between samples; the platform is not used after it. */
  close(): void;
}
