// Owns the sign-in page: one field for the agent's token, and where to find it.
import { useState } from 'preact/hooks';
import type { Problem } from '../../shared/api.ts';
import { diag, problemOf, signedIn } from '../agent.ts';

export function SignIn({ onDone }: { onDone: () => void }) {
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const submit = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    diag.login({ body: { token: token.trim() } })
      .then(() => { signedIn.set(true); onDone(); }, (error: unknown) => { setProblem(problemOf(error)); })
      .finally(() => setBusy(false));
  };
  return (
    <main class="sign-in" id="main">
      <form onSubmit={submit}>
        <h1>Sign in to the agent</h1>
        <p>This agent wants its token. It printed a one-time link and the token when it started; open that link, or enter the token here.</p>
        <label>Token<input type="password" autocomplete="current-password" value={token} onInput={(e) => setToken(e.currentTarget.value)} required maxLength={200} aria-describedby={problem ? 'sign-in-fault' : undefined} /></label>
        {problem ? <p class="fault" id="sign-in-fault" role="alert">{problem.detail} {problem.next} <code>{problem.code}</code></p> : undefined}
        <button type="submit" class="go" disabled={busy || token.trim() === ''}>{busy ? 'Signing in …' : 'Sign in'}</button>
        <p class="note">Programs send <code>Authorization: Bearer</code> with the value of <code>DIAG_TOKEN</code>.</p>
      </form>
    </main>
  );
}
