// Owns the Console page: its parts (environment, files, shell, diagnostic dump), each read when first opened.
import type { ComponentType } from 'preact';
import type { PageProps } from '../../frame/app.tsx';
import { Later } from '../../parts/later.tsx';
import { Link, viewOf } from '../../router.tsx';
import type { Query } from '../../address.ts';

export interface PartProps { query: Query }
interface Part { readonly id: string; readonly title: string; readonly load: () => Promise<ComponentType<PartProps>> }

const PARTS: readonly Part[] = [
  { id: 'environment', title: 'Environment', load: async () => (await import('./environment-part.tsx')).EnvironmentPart },
  { id: 'files', title: 'Files', load: async () => (await import('./files-part.tsx')).FilesPart },
  { id: 'shell', title: 'Shell', load: async () => (await import('./shell-part.tsx')).ShellPart },
  { id: 'dump', title: 'Diagnostic dump', load: async () => (await import('./dump-part.tsx')).DumpPart },
];

export function ConsolePage({ view }: PageProps) {
  const part = PARTS.find(({ id }) => id === view.query['part']) ?? PARTS[0];
  return (
    <main id="main" class="console" tabIndex={-1}>
      <h1 class="sr">Console</h1>
      <div class="wide parts-bar">
        <nav class="parts" aria-label="Parts of Console">{PARTS.map(({ id, title }) => <Link key={id} to={viewOf('console', { part: id === PARTS[0]?.id ? undefined : id })} current={part?.id === id}>{title}</Link>)}</nav>
      </div>
      {part === undefined ? undefined : <Later key={part.id} whole={false} title={part.title} load={part.load} props={{ query: view.query }} />}
    </main>
  );
}
