// Owns the HTTP part of Observe: figures or rows, the filter that both obey, and the pause of what is live.
import type { Query } from '../../address.ts';
import type { Range } from '../../range.ts';
import { change, Link, viewOf } from '../../router.tsx';
import { Empty } from '../../parts/states.tsx';
import { FilterBox } from './http-filter-box.tsx';
import { HttpFigures } from './http-figures.tsx';
import { filterText, readFilter } from './http-links.ts';
import { HttpRows } from './http-rows.tsx';

interface HttpProps { range: Range; query: Query; rows: boolean; paused: boolean }
export function HttpPart({ range, query, rows, paused }: HttpProps) {
  const text = filterText(query);
  const { filter, fault } = readFilter(text);
  const words = { filter: text || undefined };
  return <>
    <div class="wide http-bar">
      <nav class="switch" aria-label="Figures or rows"><Link to={viewOf('observe', { part: 'http', ...words })} current={!rows}>Figures</Link><Link to={viewOf('observe', { part: 'requests', ...words })} current={rows}>Rows</Link></nav>
      <FilterBox applied={text} />
    </div>
    {fault !== undefined ? <section class="wide"><Empty title="Nothing is shown, because the filter cannot be read.">The place and the reason stand under it. <button type="button" class="link" onClick={() => change({ filter: undefined, failed: undefined, status: undefined, route: undefined })}>Remove the filter</button></Empty></section> : rows ? <HttpRows range={range} filter={filter} paused={paused} /> : <HttpFigures range={range} filter={filter} />}
  </>;
}
