// Owns the walk through the heat map: which cell a key leads to.
import type { HeatCell, HeatLine } from '../../../shared/http-heat.ts';

export interface Place { readonly line: number; readonly column: number }
type Key = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown' | 'Home' | 'End';
/** The cell that a key leads to: along the row to the next that has a number, to other rows to the nearest in time. */
export function neighbour(lines: readonly HeatLine[], at: Place, key: string): Place | undefined {
  const cells = lines[at.line]?.cells ?? [];
  const here = cells.findIndex((c) => c.column === at.column);
  const onLine = (cell: HeatCell | undefined): Place | undefined => (cell === undefined ? undefined : { line: at.line, column: cell.column });
  switch (key as Key) {
    case 'ArrowRight': return onLine(cells[here + 1]);
    case 'ArrowLeft': return onLine(cells[here - 1]);
    case 'Home': return onLine(cells[0]);
    case 'End': return onLine(cells.at(-1));
    case 'ArrowUp': case 'ArrowDown': {
      const line = at.line + (key === 'ArrowUp' ? -1 : 1);
      const near = [...(lines[line]?.cells ?? [])].sort((a, b) => Math.abs(a.column - at.column) - Math.abs(b.column - at.column))[0];
      return near === undefined ? undefined : { line, column: near.column };
    }
    default: return undefined;
  }
}
