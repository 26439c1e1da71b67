// Owns the form of the page's addresses: every view has one, and it restores page, session, range and filters.

export const PAGES = ['now', 'observe', 'logs', 'analyze', 'mitigate', 'console'] as const;
export type PageName = (typeof PAGES)[number];
export const TITLES: Readonly<Record<PageName, string>> = { now: 'Now', observe: 'Observe', logs: 'Logs', analyze: 'Analyze', mitigate: 'Mitigate', console: 'Console' };

export type Query = Readonly<Record<string, string | undefined>>;
/** What is shown; `query` keeps range and filters, one word each. */
export interface View { readonly page: PageName; readonly session?: string; readonly look?: Look; readonly query: Query }
/** A file of a session. */
export interface FileName { readonly instance: string; readonly name: string }
export const LOOKS = ['dump', 'profile', 'heap'] as const;
/** A file of a session that is looked into, and as what. */
export interface Look extends FileName { readonly as: (typeof LOOKS)[number] }

const SESSION = /^\d{6}_\d{10}$/;

/** `path` is what follows the base ("observe", "analyze/261121_0118424471"); unknown pages are Now. */
export function parseAddress(path: string, search: string): View {
  const [first = '', second = '', ...rest] = path.replace(/^\/+/, '').split('/');
  const page = PAGES.find((p) => p === first) ?? 'now';
  const query = Object.fromEntries(new URLSearchParams(search));
  if (page !== 'analyze' || !SESSION.test(second)) return { page, query };
  const look = lookOf(rest);
  return { page, session: second, ...(look === undefined ? {} : { look }), query };
}

/** "dump/4a1f9c/node-4711.core"; anything else is the session itself. */
function lookOf([word, instance = '', name = '']: readonly string[]): Look | undefined {
  const as = LOOKS.find((one) => one === word);
  if (as === undefined || instance === '' || name === '') return undefined;
  try {
    return { as, instance: decodeURIComponent(instance), name: decodeURIComponent(name) };
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** The address below the base, with the query sorted so that equal views have equal addresses. */
export function formatAddress(view: View): string {
  const path = view.page === 'now' ? '' : view.session === undefined ? view.page : `${view.page}/${view.session}${view.look === undefined ? '' : `/${view.look.as}/${encodeURIComponent(view.look.instance)}/${encodeURIComponent(view.look.name)}`}`;
  const pairs = Object.entries(view.query).filter((p): p is [string, string] => p[1] !== undefined && p[1] !== '');
  const search = new URLSearchParams(pairs.sort(([a], [b]) => (a < b ? -1 : 1))).toString();
  return search === '' ? path : `${path}?${search}`;
}
