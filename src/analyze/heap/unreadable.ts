// Owns the refusal of a heap snapshot: the reason is the sentence's second half.
import { DiagError } from '../../shared/errors.ts';

export const unreadableHeap = (why: string, cause?: unknown): DiagError => new DiagError('HEAP_UNREADABLE', { why }, cause === undefined ? undefined : { cause });
