// Owns the filter on what the report derives from a text: the family of a user agent, the host a user came from.
import type { Pattern } from '../../shared/http-filter.ts';
import type { TextRole } from './columns.ts';
import { agentFamily } from './figures/agent-family.ts';
import type { RowTest } from './filter.ts';
import { textTest } from './filter-text.ts';
import { TextCache } from './text-cache.ts';

/** As figures/dimensions.ts folds it. */
const MAX_HOST = 255;

const DERIVED: Readonly<Record<'family' | 'refhost', { readonly role: TextRole; of(text: string): string }>> = {
  family: { role: 'agent', of: agentFamily },
  refhost: { role: 'referrer', of: referringHost },
};

/** Judged once per distinct text. */
export function derivedTest(field: keyof typeof DERIVED, pattern: Pattern): RowTest {
  const { role, of } = DERIVED[field];
  const fits = textTest(pattern, { part: false, plusIsSpace: false });
  const verdicts = new TextCache((text) => {
    const derived = Buffer.from(of(text));
    return fits(derived, 0, derived.length) ? 1 : 0;
  });
  return (columns, row) => (verdicts.of(columns, columns.text[role], row) ?? (pattern.length === 0 ? 1 : 0)) === 1;
}

/** Host and port of the URL that a user came from; what has no scheme counts as it is up to its first slash. */
export function referringHost(referrer: string): string {
  const scheme = referrer.slice(0, 18).indexOf('://');
  const rest = scheme < 0 ? referrer : referrer.slice(scheme + 3);
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  return authority.slice(authority.lastIndexOf('@') + 1).slice(0, MAX_HOST).toLowerCase();
}
