// Owns the way into a Node process that was not prepared for it: its inspector is opened from outside, talked to, and closed again.
import { DiagError } from '../shared/errors.ts';
import { systemClock, within } from './clock.ts';
import { connectInspector, inspectorPath, type Inspector } from './inspector.ts';

/** What the conversation needs of a system. */
export interface InspectorDoor {
  /** How the inspector is opened and why it may not, for people. */
  readonly how: string;
  /** Asks the process to open its inspector. */
  open(pid: number): void;
  /** Ports this very process listens on, and whether each is for loopback only. @throws PROCESS_GONE, PROCESS_DENIED */
  listening(pid: number): ReadonlyMap<number, boolean>;
  /** Does it still listen there; false when it has ended. */
  listens(pid: number, port: number): boolean;
  /** Does anybody of our own network listen there. */
  taken(port: number): boolean;
  /** Open connections to this port of the process. */
  connections(pid: number, port: number): number;
  /** Its arguments and NODE_OPTIONS; empty where they cannot be read. */
  words(pid: number): readonly string[];
  /** The pid as the process itself knows it. */
  innerPid(pid: number): number;
}

const DEFAULT_PORT = 9229;
/** The inspector answers 19 ms after the signal on an idle machine; a loaded one may need seconds. */
const OPEN_LIMIT_MS = 5_000;
const HIDDEN_AFTER_MS = 1_000;
/** Until the conversation has begun, everything counted. */
const BEGIN_LIMIT_MS = 15_000;
/** Another agent's report holds the default port for a fraction of a second. */
const PORT_FREE_LIMIT_MS = 3_000;
const CLOSE_LIMIT_MS = 2_000;
const POLL_MS = 10;
/** We must have hung up before the target closes its inspector: it would wait for us inside its event loop. */
const CLOSE_DELAY_MS = 50;
/** For the clean-up, which a cancel must not stop; it has limits of its own. */
const NEVER = new AbortController().signal;

/** Two timers: when the event loop stood still, Node still has its own note of our signal pending in the first turn after, and would open the inspector again. */
const CLOSE = `(() => {
  const inspector = process.getBuiltinModule ? process.getBuiltinModule('inspector') : require('inspector');
  setTimeout(() => setTimeout(() => inspector.close(), ${CLOSE_DELAY_MS}), 0); return true;
})()`;

/** Opens the inspector of this very process, or uses one that is open, lets `work` talk to it, and closes again what was opened. The target prints three
 *  lines about its debugger on stderr. The abort hangs up at once; where the target is busy then, it closes its inspector as soon as it can. */
export async function talkTo<T>(door: InspectorDoor, pid: number, signal: AbortSignal, work: (inspector: Inspector) => Promise<T>): Promise<T> {
  const beginning = within(BEGIN_LIMIT_MS, signal);
  const { port, opened } = await openInspector(door, pid, beginning);
  const place = { door, pid, port };
  let inspector: Inspector | undefined;
  try {
    inspector = await begin(place, beginning);
    const done = await untilAborted(place, inspector, opened, signal, work);
    if (opened) await scheduleClose(place, inspector);
    return done;
  } catch (error) {
    // After an abort the last word has been said already; else what we opened is closed now.
    await inspector?.hangUp();                                 // else we would be the somebody who is still connected
    if (opened && !(signal.aborted && inspector !== undefined)) await closeAfter(place, error);
    throw error;
  } finally {
    await inspector?.hangUp();
    if (opened && !signal.aborted) await until(() => !door.listens(pid, port));
  }
}

/** The same for callers above the door. @throws INSPECTOR_FAILED, CANCELLED, and what `work` throws as DiagError */
export async function inspectThrough<T>(door: InspectorDoor, pid: number, signal: AbortSignal, work: (inspector: Inspector) => Promise<T>): Promise<T> {
  try {
    return await talkTo(door, pid, signal, work);
  } catch (error) {
    if (signal.aborted) throw new DiagError('CANCELLED', { what: `The talk with process ${pid}` }, { cause: error });
    if (error instanceof DiagError) throw error;
    throw new DiagError('INSPECTOR_FAILED', { pid, why: error instanceof Error ? error.message : String(error) }, { cause: error });
  }
}

/** @throws the first error; that the inspector could not be closed either is its smaller trouble, and told beside it */
async function closeAfter(place: Place, error: unknown): Promise<void> {
  try {
    await closeInspector(place);
  } catch (cause) {
    if (!place.door.listens(place.pid, place.port)) return;
    const why = error instanceof Error ? error.message : String(error);
    throw new DiagError('INSPECTOR_FAILED', { pid: place.pid, why: `${why}; and port ${place.port}, where it listens for debuggers on this machine alone, is still open` }, { cause });
  }
}

/** Connects within the limit, and makes sure who is there. */
async function begin({ door, pid, port }: Place, limit: AbortSignal): Promise<Inspector> {
  const connecting = new AbortController();
  const abort = (): void => { connecting.abort(limit.reason); };
  limit.addEventListener('abort', abort, { once: true });
  limit.throwIfAborted();
  try {
    const inspector = await connect(port, connecting.signal);
    const found = await inspector.evaluate('process.pid');
    if (found === door.innerPid(pid)) return inspector;
    await inspector.hangUp();
    throw new Error(`process ${String(found)} answered on its port`);
  } finally {
    limit.removeEventListener('abort', abort);
  }
}

async function untilAborted<T>({ door, pid, port }: Place, inspector: Inspector, opened: boolean, signal: AbortSignal, work: (inspector: Inspector) => Promise<T>): Promise<T> {
  const leave = (): void => { void inspector.hangUp(opened && door.connections(pid, port) <= 1 ? CLOSE : undefined); };
  signal.throwIfAborted();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await work(inspector);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** Uses an inspector that is open, else opens one; only the latter is closed again. */
async function openInspector(door: InspectorDoor, pid: number, signal: AbortSignal): Promise<{ port: number; opened: boolean }> {
  const before = door.listening(pid);
  const named = namedPort(door.words(pid));
  const likely = named.asked ? [...before].filter(([, loopback]) => loopback).map(([port]) => port) : [named.port].filter((port) => before.has(port));
  const already = await firstInspector(likely, signal);
  if (already !== undefined) return { port: already, opened: false };
  if (named.port !== 0) await portFree(door, named.port, signal);
  door.open(pid);
  const soon = await newInspector(door, pid, before, HIDDEN_AFTER_MS, signal);
  if (soon !== undefined) return { port: soon, opened: true };
  // Perhaps it was open all the time, on a port that nothing names: only now are other listeners of the app asked.
  const hidden = await firstInspector([...before].filter(([, loopback]) => loopback).map(([port]) => port), signal);
  if (hidden !== undefined) return { port: hidden, opened: false };
  const port = await newInspector(door, pid, before, OPEN_LIMIT_MS - HIDDEN_AFTER_MS, signal);
  if (port !== undefined) return { port, opened: true };
  throw new Error(`its inspector did not open within ${OPEN_LIMIT_MS / 1_000} s after ${door.how}`);
}

/** The inspector that opens on a port where this process did not listen before. A cancel in this moment still closes it. */
async function newInspector(door: InspectorDoor, pid: number, before: ReadonlyMap<number, boolean>, limitMs: number, signal: AbortSignal): Promise<number | undefined> {
  const until = systemClock.monotonic() + limitMs;
  try {
    while (systemClock.monotonic() < until) {
      const port = await firstInspector([...door.listening(pid).keys()].filter((one) => !before.has(one)), signal);
      if (port !== undefined) return port;
      await systemClock.wait(POLL_MS, signal);
    }
    return undefined;
  } catch (error) {
    const late = signal.aborted ? await newInspector(door, pid, before, CLOSE_LIMIT_MS, NEVER) : undefined;
    if (late !== undefined) await closeInspector({ door, pid, port: late });
    throw error;
  }
}

/** Where the inspector will be or is, as arguments or NODE_OPTIONS say; `asked`: it was asked for at the start. */
export function namedPort(words: readonly string[]): { readonly port: number; readonly asked: boolean } {
  const asked = words.some((word) => /^--inspect(-brk|-wait)?(=|$)/.test(word));
  const port = words.map((word) => /^--(?:inspect(?:-brk|-wait|-port)?|debug-port)=(?:.*:)?(\d{1,5})$/.exec(word)?.[1]).filter((found) => found !== undefined).at(-1);
  return { port: port === undefined ? DEFAULT_PORT : Number(port), asked };
}

async function firstInspector(ports: readonly number[], signal: AbortSignal): Promise<number | undefined> {
  for (const port of ports) if (await inspectorPath(port, signal) !== undefined) return port;
  return undefined;
}

/** A target whose port is taken would only print an error. */
async function portFree(door: InspectorDoor, port: number, signal: AbortSignal): Promise<void> {
  const until = systemClock.monotonic() + PORT_FREE_LIMIT_MS;
  while (door.taken(port)) {
    if (systemClock.monotonic() > until) throw new Error(`port ${port}, where Node opens its inspector, is taken by another program`);
    await systemClock.wait(POLL_MS, signal);
  }
}

interface Place { readonly door: InspectorDoor; readonly pid: number; readonly port: number }

/** @throws when nothing there speaks as an inspector (any more) */
async function connect(port: number, signal: AbortSignal): Promise<Inspector> {
  const path = await inspectorPath(port, signal);
  if (path === undefined) throw new Error('its inspector closed again');
  return await connectInspector(port, path, signal);
}

/** A process that ended in between listens no more. */
async function closeInspector(place: Place): Promise<void> {
  if (!place.door.listens(place.pid, place.port)) return;
  const inspector = await connect(place.port, AbortSignal.timeout(CLOSE_LIMIT_MS));
  try {
    await scheduleClose(place, inspector);
  } finally {
    await inspector.hangUp();
  }
}

/** Lets the target close its inspector a moment after we have hung up. While somebody else is connected it stays open, or the target would wait for them. */
async function scheduleClose({ door, pid, port }: Place, inspector: Inspector): Promise<void> {
  // The target may need a moment to notice that our earlier connections are closed.
  if (await until(() => door.connections(pid, port) <= 1)) await inspector.evaluate(CLOSE);
}

/** True as soon as it holds, false when it does not within the limit. */
async function until(holds: () => boolean): Promise<boolean> {
  const from = systemClock.monotonic();
  while (!holds()) {
    if (systemClock.monotonic() - from > CLOSE_LIMIT_MS) return false;
    await systemClock.wait(POLL_MS, NEVER);
  }
  return true;
}
