// Owns the files of a session: name, kind, size, hash, what was masked, each to download.
import type { ArtifactRef, Session } from '../../../shared/model.ts';
import { bytes, count } from '../../../shared/units.ts';
import { Link, lookView } from '../../router.tsx';
import type { Look } from '../../address.ts';
import { fileAddress } from '../../agent.ts';

/** As what a file can be looked into on the page. */
function looks(kind: ArtifactRef['kind']): Look['as'] | undefined {
  if (kind === 'core-dump' || kind === 'minidump') return 'dump';
  return kind === 'cpu-profile' || kind === 'heap-profile' ? 'profile' : kind === 'heap-snapshot' ? 'heap' : undefined;
}

export function Files({ session }: { session: Session }) {
  if (session.artifacts.length === 0) return null;
  return (
    <section>
      <h2>Files <small>{count(session.artifacts.length)}, each with its SHA-256</small></h2>
      <div class="scroll-x" tabIndex={0} role="group" aria-label="Files">
        <table class="rows files-table">
          <thead><tr><th>Name</th><th>Kind</th><th class="num">Size</th><th class="num">Masked</th><th>SHA-256</th></tr></thead>
          <tbody>{session.artifacts.map((a) => <tr key={`${a.instance}/${a.name}`}>
            <td><a href={fileAddress('sessionArtifact', { session: session.id, instance: a.instance, name: a.name })} download>{a.name}</a>{looks(a.kind) !== undefined ? <> <Link to={lookView(session.id, looks(a.kind) ?? 'dump', a)} class="opens-dump" label={`Look into it: ${a.name}`}>Look into it</Link></> : undefined}{a.note === undefined ? undefined : <small> {a.note}</small>}</td>
            <td>{a.kind}</td><td class="num">{bytes(a.bytes)}</td><td class="num">{a.masked === undefined ? '–' : count(a.masked)}</td><td><code title={a.sha256}>{a.sha256.slice(0, 12)}…</code></td>
          </tr>)}</tbody>
        </table>
      </div>
    </section>
  );
}
