// Owns the report inside the page: the same tree as report.html, drawn with known tags and attributes only.
import { h, type ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Session } from '../../../shared/model.ts';
import { reportView } from '../../../shared/report-view.ts';
import type { View } from '../../../shared/view.ts';
import { diag } from '../../agent.ts';
import { CollectOpen } from '../../parts/collect-open.tsx';
import { Show } from '../../parts/states.tsx';
import { useAsk } from '../../use-ask.ts';

/** What a report may consist of. Anything else is drawn as plain text of its children. */
const TAGS: ReadonlySet<string> = new Set([
  'article', 'section', 'header', 'footer', 'div', 'span', 'p', 'h1', 'h2', 'h3', 'h4', 'b', 'em', 'i', 'strong', 'small', 'code', 'pre', 'a', 'br', 'hr', 'time', 'mark', 'sup',
  'ul', 'ol', 'li', 'dl', 'dt', 'dd', 'table', 'caption', 'thead', 'tbody', 'tr', 'th', 'td', 'details', 'summary', 'figure', 'figcaption',
  'svg', 'g', 'path', 'rect', 'line', 'circle', 'text', 'title', 'polyline', 'polygon',
]);
const ATTRIBUTES: ReadonlySet<string> = new Set([
  'class', 'id', 'title', 'lang', 'dir', 'role', 'open', 'colspan', 'rowspan', 'scope', 'datetime', 'tabindex', 'viewBox', 'preserveAspectRatio', 'd', 'x', 'y', 'x1', 'y1', 'x2', 'y2', 'cx', 'cy', 'r', 'rx', 'ry',
  'width', 'height', 'points', 'transform', 'text-anchor', 'dominant-baseline', 'fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity', 'vector-effect', 'focusable', 'hidden',
]);
const named = (name: string): boolean => ATTRIBUTES.has(name) || /^(aria|data)-[a-z-]+$/.test(name);
/** Links inside the report only; it has no others that a page should follow. */
const isLocal = (value: unknown): value is string => typeof value === 'string' && /^#[\w-]+$/.test(value);

/** What a link inside the report leads to: a window on the timeline is shown until another is, a closed cause is opened. */
function goTo(id: string): void {
  const place = document.getElementById(id);
  if (!place) return;
  if (id.startsWith('window-')) for (const band of document.querySelectorAll('.report .windows rect')) band.toggleAttribute('data-shown', band === place);
  if (place instanceof HTMLDetailsElement) place.open = true;
  (id.startsWith('window-') ? document.getElementById('timeline') ?? place : place).scrollIntoView();
}

/** The neutral tree as elements. Text stays text. A link's fragment is followed by hand: under <base> it would leave the page. */
export function toNode(view: View, key?: number): ComponentChild {
  if (typeof view === 'string') return view;
  const children = view.children.map((child, i) => toNode(child, i));
  if (!TAGS.has(view.tag)) return h('span', { key }, children);
  const props: Record<string, unknown> = { key };
  for (const [name, value] of Object.entries(view.attrs)) {
    if (named(name)) props[name] = value;
    else if (name === 'href' && view.tag === 'a' && isLocal(value)) { props['href'] = value; props['onClick'] = (event: Event) => { event.preventDefault(); goTo(value.slice(1)); }; }
  }
  return h(view.tag, props, children);
}

export function ReportPane({ session }: { session: Session }) {
  const asked = useAsk((signal) => diag.sessionReport({ params: { session: session.id }, signal }), [session.id, session.endedAt]);
  useEffect(() => {
    // The report's own look, read only where a report is shown; the same file is inside report.html.
    if (document.getElementById('report-css')) return;
    const link = document.createElement('link');
    link.id = 'report-css';
    link.rel = 'stylesheet';
    link.href = 'report.css';
    document.head.append(link);
  }, []);
  return <Show asked={asked} rows={12}>{(report) => <><CollectOpen report={report} /><div class="report-pane">{toNode(reportView(report))}</div></>}</Show>;
}
