// Owns addresses as they are typed: checked, without credentials and query, and the words for one where nobody answers.
import { DiagError, sayError } from '../shared/errors.ts';

/** @throws BAD_INPUT. `user:password@` becomes a Basic header (the SCM site takes deployment credentials so); it must not stand in messages. */
export function addressOf(given: string): { readonly url: string; readonly authorization?: string } {
  const address = URL.canParse(given) ? new URL(given) : undefined;
  if (address?.protocol !== 'http:' && address?.protocol !== 'https:') throw new DiagError('BAD_INPUT', { why: `--url: ${given.replace(/\/\/[^/@]*@/, '//…@')} is not an address that starts with http:// or https://` });
  const { username, password } = address;
  const url = `${address.origin}${address.pathname.replace(/\/+$/, '')}`;
  if (username === '' && password === '') return { url };
  return { url, authorization: `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}` };
}

/** A password may hold a percent sign that encodes nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}

/** fetch says "fetch failed"; the reason is in its cause. An abort or a time limit stays what it is. */
export function unreachable(url: string, error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  let cause: unknown = error.cause ?? error;
  if (cause instanceof AggregateError && cause.errors.length > 0) [cause] = cause.errors as unknown[];
  return new DiagError('UNREACHABLE', { url, why: sayError(cause) }, { cause: error });
}
