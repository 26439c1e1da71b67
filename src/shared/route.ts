// Owns what a route of the contract is, and the few schemas that queries share.
import { z } from 'zod';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** A schema is a JSON answer; a string is the content type of a file. */
  readonly answers: { readonly [status: number]: z.ZodType | string };
  /** open = no token needed. */
  readonly open?: true;
}
export const route = <const R extends Route>(r: R): R => r;

export const list = <T extends z.ZodType>(item: T) => z.preprocess((v) => (typeof v === 'string' ? v.split(',').filter(Boolean) : v), z.array(item));
export const number = z.coerce.number();
export const instant = z.coerce.number().int().nonnegative().max(8.64e15);   // as At
export const bool = z.preprocess((v) => (v === 'true' || v === '1' ? true : v === 'false' || v === '0' ? false : v), z.boolean());
export const MAX_SPAN_NOTE = 'epoch milliseconds';

export const Ended = z.object({ ok: z.literal(true) });
