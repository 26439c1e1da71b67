// Owns the catalog of logs: by kind, with size and age, found by name; one opens alone, ticked ones run together.
import { useMemo, useState } from 'preact/hooks';
import type { LogSourceInfo, SourceKind } from '../../../shared/model.ts';
import { bytes, count, plural } from '../../../shared/units.ts';
import { Ago } from '../../parts/text.tsx';
import { Empty } from '../../parts/states.tsx';
import { MAX_SOURCES } from './log-query.ts';

const KINDS: readonly (readonly [SourceKind, string])[] = [['application', 'Application'], ['event', 'Event log'], ['http', 'HTTP'], ['php', 'PHP'], ['docker', 'Container'], ['platform', 'Platform'], ['other', 'Other']];
/** Rows of one kind before the filter is the better way. */
const MAX_OF_KIND = 200;

interface CatalogProps { sources: readonly LogSourceInfo[]; more: number; chosen: readonly string[]; onChoose: (ids: readonly string[]) => void }

export function Catalog({ sources, more, chosen, onChoose }: CatalogProps) {
  const [find, setFind] = useState('');
  const found = useMemo(() => sources.filter((s) => s.title.toLowerCase().includes(find.toLowerCase())), [sources, find]);
  const toggle = (id: string): void => onChoose(chosen.includes(id) ? chosen.filter((c) => c !== id) : [...chosen, id]);
  return (
    <div class="catalog">
      <label class="catalog-find"><span class="sr">Find a log by name</span><input type="text" placeholder={`Find in ${plural(sources.length, 'log')}`} value={find} onInput={(e) => setFind(e.currentTarget.value)} /></label>
      <div class="catalog-list" tabIndex={0} role="group" aria-label="Logs">
        {found.length === 0 ? <Empty title={sources.length === 0 ? 'There are no logs yet.' : 'No log is called that.'}>{sources.length === 0 ? 'They appear when the site writes below LogFiles. On App Service turn on application and web server logging.' : undefined}</Empty> : undefined}
        {KINDS.map(([kind, title]) => {
          const own = found.filter((s) => s.kind === kind).sort((a, b) => b.changedAt - a.changedAt);
          if (own.length === 0) return undefined;
          return <div key={kind} class="catalog-kind"><h3>{title} <small>{count(own.length)}</small></h3>
            <ul>{own.slice(0, MAX_OF_KIND).map((s) => <Entry key={s.id} source={s} chosen={chosen.includes(s.id)} full={chosen.length >= MAX_SOURCES} onOnly={() => onChoose([s.id])} onToggle={() => toggle(s.id)} />)}</ul>
            {own.length > MAX_OF_KIND ? <p class="note">{count(own.length - MAX_OF_KIND)} more; find them by name.</p> : undefined}
          </div>;
        })}
        {more > 0 ? <p class="note">{count(more)} more files are not listed.</p> : undefined}
      </div>
    </div>
  );
}

interface EntryProps { source: LogSourceInfo; chosen: boolean; full: boolean; onOnly: () => void; onToggle: () => void }
function Entry({ source, chosen, full, onOnly, onToggle }: EntryProps) {
  const at = source.title.lastIndexOf('/');
  return (
    <li class={chosen ? 'chosen' : ''}>
      <input type="checkbox" checked={chosen} disabled={!chosen && full} onChange={onToggle} aria-label={`Show ${source.title} together with others`} />
      <button type="button" onClick={onOnly} title={source.title} aria-pressed={chosen}><span>{source.title.slice(at + 1)}</span><small>{at > 0 ? `${source.title.slice(0, at)} · ` : ''}{bytes(source.sizeBytes)} · <Ago at={source.changedAt} /></small></button>
    </li>
  );
}
