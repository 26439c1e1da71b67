// Owns how a dump comes to the page: given where it was read before, else read as a job of the agent that says how far it is and can be cancelled.
import { useEffect, useState } from 'preact/hooks';
import { ApiProblem } from '../../../../shared/connect.ts';
import type { Operation, Problem } from '../../../../shared/api.ts';
import type { DumpRead } from '../../../../shared/dump-read.ts';
import type { DumpName } from '../../../address.ts';
import { ask, diag, problemOf } from '../../../agent.ts';
import { browserClock as clock } from '../../../clock.ts';

export interface DumpState {
  readonly dump?: DumpRead;
  readonly problem?: Problem;
  /** While it is read, and after it was cancelled. */
  readonly reading?: Operation;
  again(): void;
  cancel(): void;
}

const ASK_EVERY_MS = 400;

export function useDump(session: string, { instance, name }: DumpName): DumpState {
  const [state, setState] = useState<Omit<DumpState, 'again' | 'cancel'>>({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    const end = new AbortController();
    setState({});
    brought({ session, instance, name }, (reading) => { if (!end.signal.aborted) setState({ reading }); }, end.signal).then(
      (dump) => { if (!end.signal.aborted && dump !== undefined) setState({ dump }); },
      (error: unknown) => { if (!end.signal.aborted) setState({ problem: problemOf(error) }); });
    return () => { end.abort(); };
  }, [session, instance, name, round]);
  const cancel = (): void => {
    const id = state.reading?.id;
    if (id !== undefined) ask(() => diag.cancelOperation({ params: { operation: id } })).catch((error: unknown) => { setState({ problem: problemOf(error) }); });
  };
  return { ...state, again: () => setRound(round + 1), cancel };
}

/** Undefined when it was cancelled. @throws what the API throws, and the reason why it cannot be read */
async function brought(params: { session: string; instance: string; name: string }, told: (reading: Operation) => void, signal: AbortSignal): Promise<DumpRead | undefined> {
  // Done at once where it was read before.
  let reading = await ask(() => diag.readDump({ params, signal }));
  while (reading.state === 'running') {
    told(reading);
    await new Promise<void>((done) => { clock.after(ASK_EVERY_MS, done); });
    signal.throwIfAborted();
    const { id } = reading;
    reading = await ask(() => diag.operation({ params: { operation: id }, signal }));
  }
  if (reading.state === 'cancelled') { told(reading); return undefined; }
  if (reading.state === 'failed') throw new ApiProblem({ type: 'about:blank', title: 'The dump cannot be read', status: 422, code: 'DUMP_UNREADABLE', detail: reading.note ?? 'It cannot be read.', next: 'The file itself can still be downloaded.' });
  return await ask(() => diag.dump({ params, signal }));
}
