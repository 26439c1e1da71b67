// Owns the stacks that were seen during a stall: the one whose function of the app was there most often, innermost frame first.

/** As the inspector tells a frame; lines count from 0. */
export interface CallFrame { readonly functionName: string; readonly url: string; readonly lineNumber: number }

const MAX_FRAMES = 20;
/** A stall may last for hours: so many places of it are told apart. */
const MAX_PLACES = 50;

export class SeenStacks {
  readonly #hits = new Map<string, { count: number; frames: string[] }>();

  /** Nothing of the app was on the stack: nothing is learnt. */
  add(stack: readonly CallFrame[]): void {
    const frames = stack.filter(({ url }) => url !== '');
    const own = frames.find(({ url }) => !url.startsWith('node:')) ?? frames[0];
    if (own === undefined) return;
    const place = `${own.functionName} ${own.url}`;
    const seen = this.#hits.get(place);
    if (seen === undefined && this.#hits.size >= MAX_PLACES) return;
    this.#hits.set(place, { count: (seen?.count ?? 0) + 1, frames: frames.slice(0, MAX_FRAMES).map(textOf) });
  }

  get hottest(): string[] {
    let best: { count: number; frames: string[] } | undefined;
    for (const one of this.#hits.values()) if (best === undefined || one.count > best.count) best = one;
    return best?.frames ?? [];
  }
}

function textOf({ functionName, url, lineNumber }: CallFrame): string {
  return `${functionName === '' ? '(anonymous)' : functionName} (${url.replace(/^file:\/\//, '')}:${lineNumber + 1})`.slice(0, 300);
}
