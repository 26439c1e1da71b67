// Owns the Analyze page: Diagnose now and the kept sessions, one session, or one of its memory dumps.
import type { PageProps } from '../../frame/app.tsx';
import { Later } from '../../parts/later.tsx';
import { SessionPage } from './session-page.tsx';
import { Sessions } from './sessions.tsx';

/** The explorer is read when first opened. */
const dumpPage = async () => (await import('./dump/dump-page.tsx')).DumpPage;

export function AnalyzePage({ view, open }: PageProps) {
  if (view.session !== undefined && view.dump !== undefined) return <Later key={`${view.session}/${view.dump.instance}/${view.dump.name}`} title="Memory dump" load={dumpPage} props={{ session: view.session, dump: view.dump, query: view.query }} />;
  return view.session === undefined ? <Sessions onDiagnose={() => open('diagnose')} /> : <SessionPage key={view.session} id={view.session} />;
}
