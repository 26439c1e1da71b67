// Owns the threads of a dump: the list, and beside it the chosen one's stack and registers.
import { useEffect, useState } from 'preact/hooks';
import type { DumpFrame, DumpRead, DumpThread } from '../../../../shared/dump-read.ts';
import { isOwnFrame, jsPlace, line, standsIn, threadTitle } from '../../../../shared/dump-text.ts';
import { count, plural } from '../../../../shared/units.ts';
import { Empty } from '../../../parts/states.tsx';
import { VirtualTable, type TableColumn } from '../../../parts/virtual-table.tsx';
import { change } from '../../../router.tsx';

const COLUMNS: readonly TableColumn<DumpThread>[] = [
  { id: 'id', title: 'Thread', width: '84px', num: true, cell: (one) => String(one.id), value: (one) => one.id },
  { id: 'name', title: 'Name', width: 'minmax(0,2fr)', cell: (one) => <span title={one.name}>{one.died === true ? <b class="code bad">died </b> : undefined}{one.name ?? '–'}</span>, value: (one) => one.name },
  { id: 'frames', title: 'Frames', width: '64px', num: true, wide: true, cell: (one) => count(one.frames.length + (one.more ?? 0)), value: (one) => one.frames.length + (one.more ?? 0) },
  { id: 'in', title: 'Stands in', width: 'minmax(0,3fr)', cell: (one) => <span class="mono" title={standsIn(one)}>{standsIn(one)}</span>, value: standsIn },
];

export function Threads({ dump, chosen }: { dump: DumpRead; chosen: string | undefined }) {
  const [id, setId] = useState(chosen);
  useEffect(() => setId(chosen), [chosen]);
  if (dump.threads.length === 0) return <section><Empty title="The dump tells no threads.">It was cut short, or holds memory alone.</Empty></section>;
  const thread = dump.threads.find((one) => String(one.id) === id) ?? dump.threads[0];
  return (
    <div class="dump-threads">
      <section><h2>Threads <small>{dump.death === undefined ? 'the main one first' : 'the one that died first'}</small></h2>
        <VirtualTable id="dump-threads" label="Threads" columns={COLUMNS} rows={dump.threads} keyOf={(one) => String(one.id)} onOpen={(one) => { setId(String(one.id)); change({ thread: String(one.id) }, true); }} rowClass={(one) => (one === thread ? 'chosen' : '')} small fill /></section>
      {thread === undefined ? undefined : <Stack key={thread.id} thread={thread} />}
    </div>
  );
}

const HOW: Readonly<Record<DumpFrame['how'], string>> = { context: 'the registers', rules: 'unwind rules', 'frame-pointer': 'frame pointers', scan: 'an address on the stack: may be a caller' };

function Stack({ thread }: { thread: DumpThread }) {
  const guessed = thread.frames.filter((frame) => frame.how === 'scan').length;
  return (
    <section class="dump-stack" aria-live="polite">
      <h2>{threadTitle(thread)} <small>{plural(thread.frames.length, 'frame')}{guessed > 0 ? `, ${count(guessed)} of them may be callers` : ''}</small></h2>
      {thread.note === undefined ? undefined : <p class="stale">{thread.note}.</p>}
      {thread.frames.length === 0 ? <Empty title="Its stack cannot be read.">The dump does not hold it.</Empty> : <ol class="frames" start={0} tabIndex={0} aria-label={`Stack of thread ${thread.id}`}>
        {thread.frames.map((frame, i) => <Frame key={i} frame={frame} />)}
        {thread.more === undefined ? undefined : <li class="more">and {count(thread.more)} more</li>}
      </ol>}
      {thread.registers === undefined ? undefined : <details class="registers"><summary>Registers</summary><dl>{Object.entries(thread.registers).map(([name, value]) => <div key={name}><dt>{name}</dt><dd><code>{value}</code></dd></div>)}</dl></details>}
    </section>
  );
}

function Frame({ frame }: { frame: DumpFrame }) {
  const place = frame.js === undefined ? (frame.module === undefined ? '' : frame.function === undefined ? '' : line(frame.module, 80)) : jsPlace(frame.js);
  const what = frame.js?.function ?? frame.function ?? (frame.module === undefined ? frame.pc : `${frame.module}+${frame.offset}`);
  return <li class={`${isOwnFrame(frame) ? 'own' : ''} ${frame.js === undefined ? '' : 'js'} ${frame.how === 'scan' ? 'guess' : ''}`} title={`${frame.pc}, found by ${HOW[frame.how]}${frame.js === undefined ? '' : `, JavaScript (${frame.js.tier})`}`}><b>{line(what)}</b> <span>{place}{frame.how === 'scan' ? ' (may be)' : ''}</span></li>;
}
