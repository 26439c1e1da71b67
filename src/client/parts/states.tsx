// Owns how a place looks while it has nothing to show: empty with its reason, loading in its final shape, an error with its next step.
import type { ComponentChildren } from 'preact';
import type { Problem } from '../../shared/api.ts';
import type { Asked } from '../use-ask.ts';

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return <div class="empty"><p class="empty-title">{title}</p>{children === undefined ? undefined : <p>{children}</p>}</div>;
}

/** What failed, why, what to do, and the code. */
export function Failure({ problem, again }: { problem: Problem; again?: (() => void) | undefined }) {
  return (
    <div class="failure" role="alert">
      <p><b>{problem.detail}</b> {problem.next}</p>
      <p class="failure-foot"><code>{problem.code}</code>{problem.operation === undefined ? undefined : <code>{problem.operation}</code>}{again ? <button type="button" class="quiet" onClick={again}>Try again</button> : undefined}</p>
    </div>
  );
}

/** Grey bars in the place of rows that are being read. */
export function Skeleton({ rows, tall }: { rows: number; tall?: boolean }) {
  return <div class={tall ? 'skeleton tall' : 'skeleton'} role="status" aria-label="Loading">{Array.from({ length: rows }, (_, i) => <i key={i} class={`w${i % 4}`} />)}</div>;
}

/** Loading, failed or there: an old value stays visible above the failure of reading it again. */
export function Show<T>({ asked, rows = 5, children }: { asked: Asked<T>; rows?: number; children: (value: T) => ComponentChildren }) {
  const { value, problem } = asked;
  return <>
    {problem ? <Failure problem={problem} again={asked.again} /> : undefined}
    {value === undefined ? (problem ? undefined : <Skeleton rows={rows} />) : children(value)}
  </>;
}
