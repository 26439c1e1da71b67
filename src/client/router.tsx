// Owns where the page is: the current view, moving to another one, and links that do so without a reload.
import type { ComponentChildren } from 'preact';
import { formatAddress, parseAddress, type FileName, type Look, type PageName, type Query, type View } from './address.ts';
import { cell, useCell } from './cell.ts';
import { formatRange, parseRange, type Range } from './range.ts';

/** Path of the agent on this host, with a slash at its end ("/diag/"). */
export const BASE = new URL(document.baseURI).pathname.replace(/[^/]*$/, '');

const read = (): View => parseAddress(location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : '', location.search);
const current = cell<View>(read());
addEventListener('popstate', () => current.set(read()));

export const useView = (): View => useCell(current);
export const viewNow = (): View => current.get();
export const onView = (run: (view: View) => void): (() => void) => current.on(run);

/** Moves to a view; `replace` for what is no step of its own (a filter while it is typed). */
export function go(view: View, replace = false): void {
  const address = BASE + formatAddress(view);
  if (address !== location.pathname + location.search) history[replace ? 'replaceState' : 'pushState'](undefined, '', address);
  current.set(view);
}

/** Changes some words of the current address; undefined removes one. */
export function change(query: Query, replace = false): void {
  const view = viewNow();
  go({ ...view, query: { ...view.query, ...query } }, replace);
}

/** To another page; the range goes along, filters stay behind. */
export function viewOf(page: PageName, query: Query = {}): View {
  return { page, query: { range: viewNow().query['range'], ...query } };
}

export const sessionView = (session: string): View => ({ page: 'analyze', session, query: {} });
export const lookView = (session: string, as: Look['as'], { instance, name }: FileName, query: Query = {}): View => ({ page: 'analyze', session, look: { as, instance, name }, query });
export const dumpView = (session: string, dump: FileName, query: Query = {}): View => lookView(session, 'dump', dump, query);
export const setRange = (range: Range): void => change({ range: formatRange(range) });
export const rangeOf = (view: View): Range => parseRange(view.query['range']);

/** The address of a view, for a link of one's own. */
export const addressOf = (view: View): string => BASE + formatAddress(view);

/** A plain click on a link moves without a reload; any other click is the browser's. */
export function follow(event: MouseEvent, to: View): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(to);
  scrollTo(0, 0);
}

interface LinkProps { to: View; class?: string | undefined; title?: string | undefined; current?: boolean | undefined; label?: string | undefined; children?: ComponentChildren }
/** A real link: it opens in a new tab as any other; a plain click moves without a reload. */
export function Link({ to, current: isCurrent, label, children, ...rest }: LinkProps) {
  return <a href={addressOf(to)} onClick={(event) => follow(event, to)} aria-current={isCurrent ? 'page' : undefined} aria-label={label} {...rest}>{children}</a>;
}
