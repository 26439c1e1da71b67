// Owns the memory of a dump: by kind as bars, and every mapping with what a look into it shows.
import type { DumpArea, DumpRead } from '../../../../shared/dump-read.ts';
import { AREA_WORDS, line } from '../../../../shared/dump-text.ts';
import { bytes, count, percent } from '../../../../shared/units.ts';
import { Empty } from '../../../parts/states.tsx';
import { VirtualTable, type TableColumn } from '../../../parts/virtual-table.tsx';

type Memory = DumpRead['memory'];
type Kind = Memory['byKind'][number];

const COLUMNS: readonly TableColumn<DumpArea>[] = [
  { id: 'from', title: 'From', width: '136px', wide: true, cell: (one) => <span class="mono">{one.from}</span>, value: (one) => one.from },
  { id: 'kind', title: 'Kind', width: 'minmax(110px,1.2fr)', cell: (one) => <span>{AREA_WORDS[one.kind]}</span>, value: (one) => AREA_WORDS[one.kind] },
  { id: 'filled', title: 'Filled, about', width: '96px', num: true, cell: (one) => bytes(one.filled), value: (one) => one.filled },
  { id: 'bytes', title: 'Mapped', width: '84px', num: true, cell: (one) => bytes(one.bytes), value: (one) => one.bytes },
  { id: 'stored', title: 'In the dump', width: '84px', num: true, wide: true, cell: (one) => bytes(one.stored), value: (one) => one.stored },
  { id: 'name', title: 'File', width: 'minmax(0,2fr)', wide: true, cell: (one) => <span title={one.name}>{one.name === undefined ? '–' : line(one.name)}</span>, value: (one) => one.name },
  { id: 'holds', title: 'What a look into it shows', width: 'minmax(0,2fr)', wide: true, cell: (one) => <span title={one.holds}>{one.holds ?? '–'}</span>, value: (one) => one.holds },
];

export function Memory({ memory }: { memory: Memory }) {
  if (memory.byKind.length === 0) return <section><Empty title="The dump holds no memory.">A small dump has stacks alone.</Empty></section>;
  const most = Math.max(1, ...memory.byKind.map((one) => one.filled));
  return <>
    <section><h2>Memory by kind <small>{bytes(memory.bytes)} mapped, {bytes(memory.stored)} in the dump, about {bytes(memory.filled)} not zero</small></h2>
      <div class="scroll-x" tabIndex={0} role="group" aria-label="Memory by kind"><table class="rows kinds"><thead><tr><th>Kind</th><th class="num">Areas</th><th class="num">Mapped</th><th class="num">Filled, about</th><th>Share</th></tr></thead>
        <tbody>{memory.byKind.map((one) => <KindRow key={one.kind} one={one} most={most} all={memory.filled} />)}</tbody></table></div>
    </section>
    <section><h2>Mappings <small>the fullest first{memory.more === undefined ? '' : `; ${count(memory.more)} more count by their kind only`}</small></h2>
      <VirtualTable id="dump-areas" label="Mappings" columns={COLUMNS} rows={memory.biggest} keyOf={(one) => one.from} fill /></section>
  </>;
}

function KindRow({ one, most, all }: { one: Kind; most: number; all: number }) {
  return <tr><td>{AREA_WORDS[one.kind]}</td><td class="num">{count(one.areas)}</td><td class="num">{bytes(one.bytes)}</td><td class="num">{bytes(one.filled)}</td>
    <td class="share"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width={Math.max(one.filled > 0 ? 0.5 : 0, (one.filled / most) * 100)} height="8" /></svg><small>{all > 0 ? percent((one.filled / all) * 100) : ''}</small></td></tr>;
}
