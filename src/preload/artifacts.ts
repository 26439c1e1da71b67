// Owns the making of artifacts on request: heap snapshot, CPU profile, sampling heap profile, report; each with Node's own means, loaded only then.
import type { Session } from 'node:inspector';
import type { Answer } from './answer.ts';

const CPU_INTERVAL_US = 1_000;
const HEAP_INTERVAL_BYTES = 32_768;

/** A session of the process with itself; over when the work is. */
async function withInspector<T>(work: (session: Session) => Promise<T>): Promise<T> {
  const { Session: Inspector } = require('inspector') as typeof import('node:inspector');
  const session = new Inspector();
  session.connect();
  try {
    return await work(session);
  } finally {
    session.disconnect();
  }
}

/** Commands of a session with itself are answered before post() returns. */
export function ask(session: Session, method: string, given: object = {}): unknown {
  let answer: unknown;
  let fault: Error | null = null;
  session.post(method, given, (error, result) => { fault = error; answer = result; });
  if (fault !== null) throw new Error(`${method}: ${(fault as Error).message}`);
  return answer;
}

export async function heapSnapshot(answer: Answer): Promise<void> {
  const { getHeapSnapshot } = require('v8') as typeof import('node:v8');
  answer.begin();
  const stream = getHeapSnapshot();
  // By hand: in Node 18 this stream ends without closing, and iterating over it never ends.
  await new Promise<void>((resolve, reject) => {
    stream.on('data', (piece: Buffer) => {
      stream.pause();
      answer.send(piece).then(() => { stream.resume(); }, (error: unknown) => { stream.destroy(); reject(error as Error); });
    }).on('end', resolve).on('error', reject);
  });
}

export async function cpuProfile(answer: Answer, forS: number, intervalUs = CPU_INTERVAL_US): Promise<void> {
  const profile = await withInspector(async (session) => {
    ask(session, 'Profiler.enable');
    ask(session, 'Profiler.setSamplingInterval', { interval: intervalUs });
    ask(session, 'Profiler.start');
    answer.begin();
    await answer.wait(forS * 1_000);
    return (ask(session, 'Profiler.stop') as { profile: object }).profile;
  });
  await answer.send(Buffer.from(JSON.stringify(profile)));
}

export async function heapProfile(answer: Answer, forS: number, intervalBytes = HEAP_INTERVAL_BYTES): Promise<void> {
  const profile = await withInspector(async (session) => {
    ask(session, 'HeapProfiler.startSampling', { samplingInterval: intervalBytes });
    answer.begin();
    await answer.wait(forS * 1_000);
    return (ask(session, 'HeapProfiler.stopSampling') as { profile: object }).profile;
  });
  await answer.send(Buffer.from(JSON.stringify(profile)));
}

/** Without the environment, which holds the app's secrets, and without asking for the names of its peers. */
export function reportText(): string {
  const { report } = process as unknown as { report?: { getReport(): object; excludeNetwork?: boolean } };
  if (report === undefined) throw new Error('this Node makes no reports');
  const before = report.excludeNetwork;
  if (before !== undefined) report.excludeNetwork = true;
  try {
    return JSON.stringify({ ...report.getReport(), environmentVariables: {} });
  } finally {
    if (before !== undefined) report.excludeNetwork = before;
  }
}

export async function report(answer: Answer): Promise<void> {
  const text = reportText();
  answer.begin();
  await answer.send(Buffer.from(text));
}
