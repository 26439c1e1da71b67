// Owns the trigger on an exception, by its type and text.
import { UNKNOWN, type Trigger } from './trigger.ts';

export interface ExceptionCondition {
  /** true: every throw counts, also one that is caught; false: only what nobody catches. */
  readonly first: boolean;
  /** Words with * for anything, one of which must be in "TypeError: text", letters of any case; none: every exception. */
  readonly filters: readonly string[];
}

export const exception: Trigger<ExceptionCondition> = {
  type: 'exception',
  judge: ({ first, filters }, { thrown }) => {
    if (thrown === undefined) return UNKNOWN;
    const whole = thrown.text.startsWith(thrown.type) ? thrown.text : `${thrown.type}: ${thrown.text}`;
    const wanted = (first || !thrown.caught) && (filters.length === 0 || filters.some((one) => passes(one, whole)));
    return { verdict: wanted ? 'yes' : 'no', says: `${thrown.caught ? 'thrown' : 'thrown and not caught'}: ${whole.split('\n')[0] ?? ''}` };
  },
};

/** A filter is found anywhere in the text; its pieces between stars in their order. No regular expression: the text is the app's. */
export function passes(filter: string, text: string): boolean {
  const whole = text.toLowerCase();
  let at = 0;
  for (const piece of filter.toLowerCase().split('*')) {
    const found = whole.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return true;
}
