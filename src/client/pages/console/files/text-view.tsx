// Owns the view of a text of any size: pieces of it around a place, more of them as one reads on, start, end, a byte, the next find.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from '../../../../shared/api.ts';
import type { FileWindow } from '../../../../shared/files.ts';
import { bytes } from '../../../../shared/units.ts';
import { ask, diag, problemOf } from '../../../agent.ts';
import { Failure } from '../../../parts/states.tsx';

const PIECE_BYTES = 64 * 1024;
/** What stands in the page at once; beyond it the far end goes, and comes again when it is asked for. */
const KEPT_PIECES = 12;
/** Before a find: a few lines for sense. */
const CONTEXT_BYTES = 2_000;
const NEAR_END_PX = 400;

type Piece = Pick<FileWindow, 'from' | 'to'> & { readonly text: string };
interface Wish { readonly offset?: number; readonly end?: number; readonly last?: boolean; readonly length?: number }
interface TextViewProps { readonly root: string; readonly path: string; readonly first: FileWindow; readonly wraps: boolean }

export function TextView({ root, path, first, wraps }: TextViewProps) {
  const [pieces, setPieces] = useState<readonly Piece[]>([pieceOf(first)]);
  const [sizeBytes, setSize] = useState(first.sizeBytes);
  const [problem, setProblem] = useState<Problem>();
  const [says, setSays] = useState('');
  const [mark, setMark] = useState<{ readonly at: number; readonly chars: number }>();
  const box = useRef<HTMLPreElement>(null);
  const busy = useRef(false);
  useEffect(() => { setPieces([pieceOf(first)]); setSize(first.sizeBytes); }, [first]);
  const top = pieces[0]?.from ?? 0;
  const bottom = pieces.at(-1)?.to ?? 0;
  const get = async (wish: Wish): Promise<Piece> => {
    const window = await ask(() => diag.fileWindow({ query: { root, path, length: PIECE_BYTES, ...wish } }));
    setSize(window.sizeBytes);
    return pieceOf(window);
  };
  const run = (work: () => Promise<void>): void => {
    if (busy.current) return;
    busy.current = true;
    setProblem(undefined);
    work().catch((error: unknown) => setProblem(problemOf(error))).finally(() => { busy.current = false; });
  };
  const later = (): void => run(async () => { const next = await get({ offset: bottom }); if (next.to > bottom) setPieces((was) => [...was, next].slice(-KEPT_PIECES)); });
  const earlier = (): void => run(async () => { const next = await get({ end: top }); setPieces((was) => [next, ...was].slice(0, KEPT_PIECES)); });
  const jump = (wish: Wish, toEnd = false): void => run(async () => {
    const piece = await get(wish);
    setMark(undefined);
    setPieces([piece]);
    requestAnimationFrame(() => { if (box.current) box.current.scrollTop = toEnd ? box.current.scrollHeight : 0; });
  });
  const find = (text: string): void => run(async () => {
    setSays('Searching');
    let from = mark === undefined ? top : mark.at + 1;
    for (;;) {
      const offset = from;
      const found = await ask(() => diag.searchFile({ query: { root, path, text, offset } }));
      if (found.at !== undefined) { await show(found.at, text); return; }
      if (found.atEnd) { setSays(`"${text}" does not come after byte ${from.toLocaleString()}`); setMark(undefined); return; }
      from = found.searchedTo;
      setSays(`Searched to ${bytes(from)}`);
    }
  });
  const show = async (at: number, text: string): Promise<void> => {
    const before = at === 0 ? undefined : await get({ end: at, length: CONTEXT_BYTES });
    setPieces([...(before === undefined ? [] : [before]), await get({ offset: at })]);
    setMark({ at, chars: text.length });
    setSays(`Found at byte ${at.toLocaleString()}`);
    requestAnimationFrame(() => box.current?.querySelector('mark')?.scrollIntoView({ block: 'center' }));
  };
  return (
    <div class="text-view">
      <TextTools {...{ sizeBytes, says, find, jump, earlier, atStart: top === 0 }} shown={`Bytes ${top.toLocaleString('en')} to ${bottom.toLocaleString('en')} of ${sizeBytes.toLocaleString('en')}`} />
      {problem ? <Failure problem={problem} /> : undefined}
      <pre ref={box} tabIndex={0} class={wraps ? 'file-text wraps' : 'file-text'} aria-label="Content" onScroll={(e) => { const { scrollTop, scrollHeight, clientHeight } = e.currentTarget; if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX && bottom < sizeBytes) later(); }}>
        {pieces.map((piece) => (mark?.at === piece.from ? <span key={piece.from}><mark>{piece.text.slice(0, mark.chars)}</mark>{piece.text.slice(mark.chars)}</span> : <span key={piece.from}>{piece.text}</span>))}
      </pre>
    </div>
  );
}

const pieceOf = ({ from, to, text = '' }: FileWindow): Piece => ({ from, to, text });

interface ToolsProps { sizeBytes: number; shown: string; says: string; atStart: boolean; find: (text: string) => void; jump: (wish: Wish, toEnd?: boolean) => void; earlier: () => void }
function TextTools({ sizeBytes, shown, says, atStart, find, jump, earlier }: ToolsProps) {
  if (sizeBytes <= PIECE_BYTES) return <p class="sr" role="status">{shown}</p>;
  const submit = (event: SubmitEvent, name: string, run: (text: string) => void): void => {
    event.preventDefault();
    const value = new FormData(event.currentTarget as HTMLFormElement).get(name);
    if (typeof value === 'string' && value !== '') run(value);
  };
  return (
    <div class="text-tools">
      <button type="button" class="quiet" onClick={() => jump({ offset: 0 })}>Start</button>
      <button type="button" class="quiet" disabled={atStart} onClick={earlier}>Earlier</button>
      <button type="button" class="quiet" onClick={() => jump({ last: true }, true)}>End</button>
      <form onSubmit={(e) => submit(e, 'byte', (text) => jump({ offset: Math.min(Math.max(0, Math.floor(Number(text)) || 0), sizeBytes) }))}><input type="text" inputMode="numeric" name="byte" placeholder="Byte" aria-label="Go to byte" /></form>
      <form class="grow" onSubmit={(e) => submit(e, 'find', find)}><input type="text" name="find" placeholder="Find, enter for the next" aria-label="Find in this file" maxLength={500} /></form>
      <small role="status">{says === '' ? shown : says}</small>
    </div>
  );
}
