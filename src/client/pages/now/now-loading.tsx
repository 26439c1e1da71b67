// Owns the shape of the landing page before its first answer, so that nothing jumps when it comes.
import { Skeleton } from '../../parts/states.tsx';

export function NowLoading() {
  return <>
    <section class="wide verdict unknown"><Skeleton rows={2} tall /></section>
    <section class="wide tiles">{[0, 1, 2, 3, 4].map((i) => <div class="tile" key={i}><Skeleton rows={3} /></div>)}</section>
    <section class="wide hold-strip"><h2>Requests</h2><Skeleton rows={4} /></section>
    <section class="hold-list"><h2>Failed requests</h2><Skeleton rows={6} /></section>
    <section class="hold-list"><h2>What changed</h2><Skeleton rows={6} /></section>
  </>;
}
