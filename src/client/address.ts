// Owns the form of the page's addresses: every view has one, and it restores page, session, range and filters.

export const PAGES = ['now', 'observe', 'logs', 'analyze', 'mitigate'] as const;
export type PageName = (typeof PAGES)[number];
export const TITLES: Readonly<Record<PageName, string>> = { now: 'Now', observe: 'Observe', logs: 'Logs', analyze: 'Analyze', mitigate: 'Mitigate' };

export type Query = Readonly<Record<string, string | undefined>>;
/** What is shown; `query` keeps range and filters, one word each. */
export interface View { readonly page: PageName; readonly session?: string; readonly query: Query }

const SESSION = /^\d{6}_\d{10}$/;

/** `path` is what follows the base ("observe", "analyze/261121_0118424471"); unknown pages are Now. */
export function parseAddress(path: string, search: string): View {
  const [first = '', second = ''] = path.replace(/^\/+/, '').split('/');
  const page = PAGES.find((p) => p === first) ?? 'now';
  const query = Object.fromEntries(new URLSearchParams(search));
  return page === 'analyze' && SESSION.test(second) ? { page, session: second, query } : { page, query };
}

/** The address below the base, with the query sorted so that equal views have equal addresses. */
export function formatAddress(view: View): string {
  const path = view.page === 'now' ? '' : view.session === undefined ? view.page : `${view.page}/${view.session}`;
  const pairs = Object.entries(view.query).filter((p): p is [string, string] => p[1] !== undefined && p[1] !== '');
  const search = new URLSearchParams(pairs.sort(([a], [b]) => (a < b ? -1 : 1))).toString();
  return search === '' ? path : `${path}?${search}`;
}
