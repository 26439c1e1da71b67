// Owns how a large file of a session comes to the page: given where it was read before, else read as a job of the agent that says how far it is and can be cancelled.
import { useEffect, useState } from 'preact/hooks';
import type { Operation, Problem } from '../../../shared/api.ts';
import { ApiProblem } from '../../../shared/connect.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { browserClock as clock } from '../../clock.ts';

export interface Look<T> {
  readonly value?: T;
  readonly problem?: Problem;
  /** While it is read, and after it was cancelled. */
  readonly reading?: Operation;
  again(): void;
  cancel(): void;
}

/** `code` and `title`: of the problem when it cannot be read. */
export interface LookOf<T> { readonly title: string; readonly code: string; begin(signal: AbortSignal): Promise<Operation>; get(signal: AbortSignal): Promise<T> }
const ASK_EVERY_MS = 400;

/** `key` names what is looked at; undefined: nothing yet. */
export function useLook<T>(key: string | undefined, of: LookOf<T>): Look<T> {
  const [state, setState] = useState<Omit<Look<T>, 'again' | 'cancel'>>({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    const end = new AbortController();
    setState({});
    if (key !== undefined) {
      brought(of, (reading) => { if (!end.signal.aborted) setState({ reading }); }, end.signal).then(
        (value) => { if (!end.signal.aborted && value !== undefined) setState({ value }); },
        (error: unknown) => { if (!end.signal.aborted) setState({ problem: problemOf(error) }); });
    }
    return () => { end.abort(); };
  }, [key, round]);
  const cancel = (): void => {
    const id = state.reading?.id;
    if (id !== undefined) ask(() => diag.cancelOperation({ params: { operation: id } })).catch((error: unknown) => { setState({ problem: problemOf(error) }); });
  };
  return { ...state, again: () => setRound(round + 1), cancel };
}

/** Undefined when it was cancelled. @throws what the API throws, and the reason why it cannot be read */
async function brought<T>(of: LookOf<T>, told: (reading: Operation) => void, signal: AbortSignal): Promise<T | undefined> {
  // Done at once where it was read before.
  let reading = await ask(() => of.begin(signal));
  while (reading.state === 'running') {
    told(reading);
    await new Promise<void>((done) => { clock.after(ASK_EVERY_MS, done); });
    signal.throwIfAborted();
    const { id } = reading;
    reading = await ask(() => diag.operation({ params: { operation: id }, signal }));
  }
  if (reading.state === 'cancelled') { told(reading); return undefined; }
  if (reading.state === 'failed') throw new ApiProblem({ type: 'about:blank', title: of.title, status: 422, code: of.code, detail: reading.note ?? 'It cannot be read.', next: 'The file itself can still be downloaded.' });
  return await ask(() => of.get(signal));
}
