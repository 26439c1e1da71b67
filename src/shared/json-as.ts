// Owns reading a text that somebody else wrote: JSON of one shape, or nothing.
import type { z } from 'zod';

/** The value; undefined for what is no text, no JSON or of another shape: a newer peer, a torn file, a stranger. */
export function jsonAs<T>(schema: z.ZodType<T>, text: unknown): T | undefined {
  if (typeof text !== 'string') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return schema.safeParse(value).data;
}
