// Owns what of the figures' state is handed to another thread without a copy.
import type { FiguresState } from './figures.ts';

/** The memory of a state that can be handed over instead of copied; neither the state nor the figures that it is of can be used here afterwards. What is shared (see room.ts) is not among it: both sides see it. */
export function transferables(state: FiguresState): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const look = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) { if (value.buffer instanceof ArrayBuffer && value.byteLength > 0) found.add(value.buffer); return; }
    if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) look(part);
  };
  look(state);
  return [...found];
}
