// Owns how the causes are drawn: the found ones with share, proof and what speaks against them, then what cannot be told, then what was ruled out.
import type { Accounting, Cause, CauseFact } from './cause.ts';
import type { Report } from './model.ts';
import { count, plural } from './units.ts';
import { card, chain, instant, prose, table, tableTime } from './report-parts.ts';
import type { Drawing } from './report-parts.ts';
import { causeId, windowLink, windowOfCause } from './report-windows.ts';
import { el } from './view.ts';
import type { Element, View } from './view.ts';

const WORDS = { certain: 'Certain', likely: 'Likely', possible: 'Possible' } as const;
/** The tag's colour says how much to worry, its word how sure it is. */
const TAGS = { certain: 'critical', likely: 'warning', possible: 'info' } as const;
const ROUTES_SHOWN = 5;

/** The first found cause when something is wrong. */
export function topCause(report: Report): Cause | undefined {
  const [first] = report.causes;
  return first?.verdict === 'found' && first.id !== 'healthy' ? first : undefined;
}

export function causeChain(cause: Cause, on: Drawing): Element | undefined {
  if (cause.chain.length === 0) return undefined;
  const share = cause.failedRequests + cause.slowRequests > 0 ? `it explains ${percentText(cause.share)} of what failed` : undefined;
  return card('How it happened', share, { id: 'how' }, chain(cause.chain.map((s) => [s.at ?? s.when ?? null, s.what, s.detail ?? null, s.part === 'root' || s.part === 'effect' ? s.part : null]), undefined, on));
}

/** Cards of causes; none in reports of versions without the engine. */
export function causeCards(report: Report, on: Drawing): Element[] {
  const of = (verdict: Cause['verdict']): readonly Cause[] => report.causes.filter((c) => c.verdict === verdict);
  const [found, open, excluded] = [of('found'), of('cannot-tell'), of('ruled-out')];
  return [
    ...(found.length === 0 ? [] : [card('Causes', accounts(report.accounting), { id: 'causes' }, ...found.map((c, i) => one(report, c, i === 0, on)), ...left(report.accounting, on))]),
    ...(open.length === 0 ? [] : [card('Causes that cannot be told', 'and what to collect to settle them', { id: 'causes-open' },
      table([{ title: 'Cause', unit: 'code' }, { title: 'Why it is open', unit: 'text' }, { title: 'Collect', unit: 'text' }], open.map((c) => [c.id, c.title, collecting(c)]), on, 'Causes that cannot be told'))]),
    ...(excluded.length === 0 ? [] : [card('Ruled out', plural(excluded.length, 'cause'), { id: 'ruled-out' },
      table([{ title: 'Cause', unit: 'code' }, { title: 'The fact that rules it out', unit: 'text' }], excluded.map((c) => [c.id, c.against[0]?.text ?? c.title]), on, 'Ruled out'))]),
  ];
}

/** The page turns these marks into buttons; in a file they are the names to ask for. */
function collecting(cause: Cause): View {
  return el('span', { class: 'collect' }, cause.collect.map((id, i) => [i > 0 && ', ', el('code', { 'data-diagnoser': id }, id)]));
}

function accounts(accounting: Accounting | undefined): string | undefined {
  if (accounting === undefined || accounting.from === 'none') return 'without an HTTP log: which requests failed is not known';
  const whole = accounting.failed + accounting.slow;
  return whole === 0 ? `${plural(accounting.requests, 'request')}, none failed` : `${count(accounting.explained)} of ${plural(whole, 'failed or slow request')} explained`;
}

function left(accounting: Accounting | undefined, on: Drawing): Element[] {
  if (accounting === undefined || accounting.unexplained.length === 0) return [];
  return [el('div', { class: 'finding-body' }, el('p', {}, 'Not explained:'), table([{ title: 'Signature', unit: 'code' }, { title: 'Requests', unit: 'count' }, { title: 'From', unit: 'at' }, { title: 'To', unit: 'at' }], accounting.unexplained.map((u) => [u.key, u.count, u.firstAt, u.lastAt]), on, 'Requests that are not explained'))];
}

function one(report: Report, cause: Cause, isTop: boolean, on: Drawing): Element {
  const { confidence } = cause;
  const tag = cause.id === 'healthy' ? el('span', { class: 'tag good' }, 'Good') : el('span', { class: `tag ${TAGS[confidence?.word ?? 'possible']}` }, WORDS[confidence?.word ?? 'possible']);
  return el('details', { class: 'finding cause', id: causeId(report, cause), open: isTop ? true : undefined },
    el('summary', {}, tag, el('h3', {}, prose(cause.title)), el('span', { class: 'area' }, cause.id)),
    el('div', { class: 'finding-body' }, facts(cause, on), windowLink(windowOfCause(report, cause), on), !isTop && cause.chain.length > 0 && chain(cause.chain.map((s) => [s.at ?? s.when ?? null, s.what, s.detail ?? null, s.part === 'root' || s.part === 'effect' ? s.part : null]), undefined, on),
      list('What speaks for it', cause.for, on), list('What speaks against it', cause.against, on),
      confidence !== undefined && el('p', {}, `How sure: ${WORDS[confidence.word].toLowerCase()} (${percentText(confidence.score)}): ${confidence.reasons.join('; ')}.`),
      cause.advice.length > 0 && el('ul', { class: 'advice' }, cause.advice.map((step) => el('li', {}, prose(step))))));
}

function facts(cause: Cause, on: Drawing): Element {
  const requests = cause.failedRequests + cause.slowRequests;
  const parts: View[] = [];
  if (requests > 0 && cause.id !== 'healthy') parts.push(`Explains ${[cause.failedRequests > 0 ? plural(cause.failedRequests, 'failed request') : '', cause.slowRequests > 0 ? plural(cause.slowRequests, 'slow request') : ''].filter((p) => p !== '').join(' and ')}, ${percentText(cause.share)} of all. `);
  if (cause.since !== undefined) parts.push('Since ', instant(cause.since, on.days ? 'full' : 'time'), ' UTC. ');
  if (cause.before !== undefined) parts.push(`Just before: ${cause.before} `);
  if (cause.routes.length > 0) parts.push(`Routes: ${cause.routes.slice(0, ROUTES_SHOWN).map((r) => `${r.method} ${r.route} (${count(r.count)})`).join(', ')}${cause.routes.length > ROUTES_SHOWN ? ', …' : ''}. `);
  if (cause.instances.length > 0) parts.push(`Instances: ${cause.instances.join(', ')}. `);
  if (cause.leadsTo.length > 0) parts.push(`It led to: ${cause.leadsTo.join(', ')}.`);
  return el('p', {}, parts);
}

function list(title: string, of: readonly CauseFact[], on: Drawing): Element | undefined {
  if (of.length === 0) return undefined;
  return el('figure', {}, el('figcaption', {}, title), el('ul', { class: 'facts' }, of.map((fact) => el('li', {},
    fact.at !== undefined && [tableTime(fact.at, on), ' '], prose(fact.text), fact.where !== undefined && el('small', {}, ` ${fact.where}`), fact.proof !== undefined && fact.proof !== fact.text && el('pre', {}, fact.proof)))));
}

/** "95 %": never all for not all. */
function percentText(share: number): string {
  const whole = Math.round(share * 100);
  return `${share < 1 && whole === 100 ? 99 : whole} %`;
}
