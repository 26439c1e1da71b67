// Owns the Analyze page: Diagnose now and the kept sessions, or one session.
import type { PageProps } from '../../frame/app.tsx';
import { SessionPage } from './session-page.tsx';
import { Sessions } from './sessions.tsx';

export function AnalyzePage({ view, open }: PageProps) {
  return view.session === undefined ? <Sessions onDiagnose={() => open('diagnose')} /> : <SessionPage key={view.session} id={view.session} />;
}
