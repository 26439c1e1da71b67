// Owns a part of a page that is read when first opened: a skeleton until then, a failure where it cannot be read.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { problemOf } from '../agent.ts';
import { Failure, Skeleton } from './states.tsx';

/** `whole`: the page is nothing but this part, so that its frame stands here too. */
export function Later<P extends object>({ title, load, props, whole = true }: { title: string; load: () => Promise<ComponentType<P>>; props: P; whole?: boolean }) {
  const [loaded, setLoaded] = useState<{ part: ComponentType<P> }>();
  const [failed, setFailed] = useState<unknown>();
  useEffect(() => {
    let wanted = true;
    load().then((part) => { if (wanted) setLoaded({ part }); }, (error: unknown) => { if (wanted) setFailed(error); });
    return () => { wanted = false; };
  }, [load]);
  if (loaded !== undefined) return <loaded.part {...props} />;
  const waits = <section class={whole ? undefined : 'wide'}>{failed === undefined ? <Skeleton rows={8} /> : <Failure problem={problemOf(failed)} again={() => location.reload()} />}</section>;
  if (!whole) return waits;
  return <main id="main" tabIndex={-1}><h1 class="sr">{title}</h1>{waits}</main>;
}
