// Owns the Analyze page: Diagnose now and the kept sessions, one session, or one of its dumps, profiles and heaps.
import type { PageProps } from '../../frame/app.tsx';
import { Later } from '../../parts/later.tsx';
import { SessionPage } from './session-page.tsx';
import { Sessions } from './sessions.tsx';

/** The explorers are read when first opened. */
const dumpPage = async () => (await import('./dump/dump-page.tsx')).DumpPage;
const profilePage = async () => (await import('./profile/profile-page.tsx')).ProfilePage;
const heapPage = async () => (await import('./heap/heap-page.tsx')).HeapPage;

export function AnalyzePage({ view, open }: PageProps) {
  const { session, look, query } = view;
  if (session !== undefined && look !== undefined) {
    const key = `${session}/${look.as}/${look.instance}/${look.name}`;
    if (look.as === 'profile') return <Later key={key} title="Profile" load={profilePage} props={{ session, file: look, query }} />;
    if (look.as === 'heap') return <Later key={key} title="Heap" load={heapPage} props={{ session, file: look, query }} />;
    return <Later key={key} title="Memory dump" load={dumpPage} props={{ session, dump: look, query }} />;
  }
  return view.session === undefined ? <Sessions onDiagnose={() => open('diagnose')} /> : <SessionPage key={view.session} id={view.session} />;
}
