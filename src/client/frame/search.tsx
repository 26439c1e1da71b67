// Owns the search dialog: pages, logs, sessions, processes, metrics and commands in one list, by what they are called.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { bytes } from '../../shared/units.ts';
import { PAGES, TITLES, type View } from '../address.ts';
import { diag } from '../agent.ts';
import { useAsk } from '../use-ask.ts';
import { printHttpFilter } from '../../shared/http-filter.ts';
import { Dialog } from '../parts/dialog.tsx';
import { go, sessionView, viewOf } from '../router.tsx';
import { theme, THEMES } from '../theme.ts';
import { dayTime, ROLE_WORDS, STATE_WORDS } from '../words.ts';

export interface Hit { readonly group: string; readonly title: string; readonly note?: string; readonly to: View | (() => void) }
/** More hits than a reader would look through; the rest needs another letter. */
const MAX_HITS = 40;

/** Every word of the question must occur; hits that begin with it come first. */
export function find(hits: readonly Hit[], asked: string): readonly Hit[] {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (h: Hit): string => `${h.title} ${h.group} ${h.note ?? ''}`.toLowerCase();
  const found = hits.filter((h) => words.every((w) => text(h).includes(w)));
  const first = words[0];
  const rank = (h: Hit): number => (first !== undefined && h.title.toLowerCase().startsWith(first) ? 0 : 1);
  return found.map((h, i) => ({ h, i })).sort((a, b) => rank(a.h) - rank(b.h) || a.i - b.i).slice(0, MAX_HITS).map((x) => x.h);
}

const fixed = (commands: readonly Hit[]): Hit[] => [
  ...PAGES.map((p) => ({ group: 'Page', title: TITLES[p], to: viewOf(p) })),
  ...commands,
  ...THEMES.map((t) => ({ group: 'Command', title: `Theme: ${t}`, to: () => theme.set(t) })),
];

async function everything(signal: AbortSignal): Promise<Hit[]> {
  const [logs, sessions, processes] = await Promise.allSettled([diag.logs({ signal }), diag.sessions({ signal }), diag.processes({ signal })]);
  return [
    ...(logs.status === 'fulfilled' ? logs.value.sources.map((s) => ({ group: 'Log', title: s.title, note: bytes(s.sizeBytes), to: viewOf('logs', { source: s.id }) })) : []),
    ...(sessions.status === 'fulfilled' ? sessions.value.sessions.map((s) => ({ group: 'Session', title: s.headline ?? s.id, note: `${STATE_WORDS[s.state]}, ${dayTime(s.madeAt)}`, to: sessionView(s.id) })) : []),
    ...(processes.status === 'fulfilled' ? processes.value.processes.map((p) => ({ group: 'Process', title: `${p.info.name} ${p.info.pid}`, note: ROLE_WORDS[p.info.role], to: viewOf('observe', { process: String(p.info.pid) }) })) : []),
  ];
}

export function Search({ onClose, commands }: { onClose: () => void; commands: readonly Hit[] }) {
  const [asked, setAsked] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const more = useAsk(everything, []);
  const hits = useMemo(() => find([...fixed(commands), ...(more.value ?? []), ...forRequests(asked)], asked), [asked, more.value]);
  const chosen = Math.min(at, hits.length - 1);
  useEffect(() => { list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }); }, [chosen]);
  const take = (hit: Hit | undefined): void => {
    if (!hit) return;
    onClose();
    if (typeof hit.to === 'function') hit.to();
    else go(hit.to);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') take(hits[chosen]);
    else if (event.key === 'ArrowDown') setAt(Math.min(hits.length - 1, chosen + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(0, chosen - 1));
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Search" onClose={onClose}>
      <input class="search-field" type="text" role="combobox" autoFocus aria-label="Search" aria-expanded="true" aria-controls="search-hits" aria-activedescendant={hits.length > 0 ? `hit-${chosen}` : undefined}
        placeholder="A page, log, session, process, route" value={asked} onInput={(e) => { setAsked(e.currentTarget.value); setAt(0); }} onKeyDown={key} />
      <div class="hits" id="search-hits" role="listbox" aria-label="Found" ref={list}>
        {hits.map((hit, i) => <div key={`${hit.group}${hit.title}${i}`} id={`hit-${i}`} role="option" aria-selected={i === chosen} onClick={() => take(hit)} onPointerMove={() => setAt(i)}>
          <span>{hit.title}</span><small>{hit.note}</small><em>{hit.group}</em>
        </div>)}
      </div>
      {hits.length === 0 ? <p class="note">Nothing is called that. To search inside a log, open it and use its filter.</p> : undefined}
    </Dialog>
  );
}

/** What begins with a slash or is a status is also a question about requests. */
function forRequests(asked: string): Hit[] {
  const word = asked.trim();
  if (/^[1-5]\d\d([.\d]*)$/.test(word)) return [{ group: 'Requests', title: `${word} requests`, to: viewOf('observe', { filter: `status:${word}`, part: 'requests' }) }];
  if (word.startsWith('/') && word.length > 1) return [{ group: 'Requests', title: `${word} requests`, to: viewOf('observe', { filter: printHttpFilter({ terms: [{ field: 'path', any: [[word, '']], not: false }] }), part: 'requests' }) }];
  return [];
}
