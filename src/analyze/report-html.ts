// Owns the report as one self-contained file: no network, readable without JavaScript, nothing in it that a log could turn into markup.
import { createHash } from 'node:crypto';
import type { Report } from '../shared/model.ts';
import { reportView } from '../shared/report-view.ts';
import { visible } from '../shared/view.ts';
import type { View } from '../shared/view.ts';
import { REPORT_SCRIPT } from './report-script.ts';

/** The whole file. `css` is the text of public/report.css; the same report and css give the same bytes. */
export function reportHtml(report: Report, css: string): string {
  return pageHtml({ title: `${report.app.site}: ${report.headline.text}`, tool: report.tool, css, view: reportView(report), json: report });
}

interface FilePage { readonly title: string; readonly tool: { readonly name: string; readonly version: string }; readonly css: string; readonly view: View; readonly json?: unknown }
/** A tree as a file of its own: no network, no script but the one that sorts and shows local times, both bound by their hashes. */
export function pageHtml({ title, tool, css, view, json }: FilePage): string {
  const style = css.replace(/<\/(?=style)/gi, '<\\/');
  const policy = `default-src 'none'; style-src '${hash(style)}'; script-src '${hash(REPORT_SCRIPT)}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${attribute(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="${attribute(`${tool.name} ${tool.version}`)}">
<title>${text(visible(title))}</title>
<style>${style}</style></head>
<body class="report-page">
<main>${markup(view)}</main>${json === undefined ? '' : `
<script type="application/json" id="report">${embedded(json)}</script>`}
<script>${REPORT_SCRIPT}</script>
</body></html>
`;
}

function hash(content: string): string {
  return `sha256-${createHash('sha256').update(content, 'utf8').digest('base64')}`;
}

const VOID = new Set(['br', 'hr', 'img', 'meta', 'link']);

/** A tree as HTML. Tags and attribute names come from our own views; text and values are escaped. */
export function markup(view: View): string {
  if (typeof view === 'string') return text(view);
  const attrs = Object.entries(view.attrs).map(([name, value]) => (value === true ? ` ${name}` : ` ${name}="${attribute(String(value))}"`)).join('');
  if (VOID.has(view.tag)) return `<${view.tag}${attrs}>`;
  // A newline directly after <pre> is swallowed by the HTML parser: one more keeps the text as it is.
  const lead = view.tag === 'pre' && typeof view.children[0] === 'string' && view.children[0].startsWith('\n') ? '\n' : '';
  return `<${view.tag}${attrs}>${lead}${view.children.map(markup).join('')}</${view.tag}>`;
}

function text(value: string): string {
  return value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function attribute(value: string): string {
  return text(value).replace(/"/g, '&quot;').replace(/'/g, '&#39;');
}

/** JSON inside a script element: no `<` can end the element; signs that hide or reorder text are written as escapes. */
function embedded(report: unknown): string {
  return JSON.stringify(report).replace(/[<\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
