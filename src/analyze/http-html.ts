// Owns the HTTP report as one self-contained file: opens from disk, reads without JavaScript, prints, and holds nothing a log could turn into markup.
import type { HttpReport } from '../shared/http-report.ts';
import { headline, httpView } from '../shared/http-view.ts';
import type { HttpViewFrame } from '../shared/http-view.ts';
import { pageHtml } from './report-html.ts';

/** The files below public/ whose texts, joined, are `css`: the report's look and what the HTTP page adds. */
export const HTTP_CSS = ['report.css', 'http-report.css'] as const;

/** The whole file; the same report, frame and css give the same bytes. */
export function httpHtml(report: HttpReport, frame: HttpViewFrame, css: string): string {
  return pageHtml({ title: `HTTP log: ${headline(report)}`, tool: frame.tool, css, view: httpView(report, frame) });
}
