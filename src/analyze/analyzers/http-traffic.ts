// Owns the plain figures of the traffic: how much, by status, by route, by client, per minute. It judges nothing.
import type { Evidence, Finding } from '../../shared/model.ts';
import { count, duration, plural } from '../../shared/units.ts';
import { meaning } from '../../observe/http-log/meaning.ts';
import type { Analyzer } from '../contracts.ts';
import { httpFacts } from '../parse/http-facts.ts';
import type { HttpFacts, Window } from '../parse/http-facts.ts';
import { byText, codeName, oneLine, shareText } from '../parse/words.ts';

const TOLD = 12;

export const httpTraffic: Analyzer = {
  id: 'http-traffic',
  title: 'Traffic',
  needs: ['http-log'],
  async analyze(given, { window }, cancel) {
    const facts = await httpFacts(given['http-log'] ?? [], window, cancel);
    return facts.total === 0 ? [] : [traffic(facts, window)];
  },
};

function traffic(facts: HttpFacts, window: Window): Finding {
  const clients = facts.report.clients.top;
  const seconds = Math.max(1, (window.to - window.from) / 1_000);
  const top = [...clients].sort((a, b) => b.count - a.count || byText(a.name, b.name))[0];
  const who = top === undefined ? 'The log does not say who asked.' : `The busiest client sent ${shareText(top.count, facts.total)} of them.`;
  return {
    id: 'http-traffic', area: 'http', severity: 'info', title: `${plural(facts.total, 'request')} in ${duration(window.to - window.from)}, ${count(facts.total / seconds)} per second`,
    why: `${who} A client here is the address that the log names; behind a proxy or gateway many people share one.${facts.report.leftOut > 0 ? ` ${plural(facts.report.leftOut, 'request')} of the SCM site and of this agent are left out.` : ''}`,
    advice: '', evidence: [statuses(facts), routes(facts), askers(facts), perStep(facts)], mitigations: [],
  };
}

function statuses(facts: HttpFacts): Evidence {
  const all = facts.report.statuses;
  return {
    kind: 'table', title: 'By status, sub-status and win32 status', columns: [{ title: 'Code', unit: 'code' }, { title: 'Requests', unit: 'count' }, { title: 'Share', unit: 'percent' }, { title: 'p50', unit: 'ms' }, { title: 'p95', unit: 'ms' }, { title: 'Meaning', unit: 'text' }],
    rows: all.slice(0, TOLD).map((s) => [codeName({ status: s.status, sub: s.sub, win32: s.win32 }), s.count, Math.round((s.count / facts.total) * 1_000) / 10, s.p50 ?? null, s.p95 ?? null, meaning(s.status, s.sub, s.win32)?.says ?? null]), more: Math.max(0, all.length - TOLD),
  };
}

function routes(facts: HttpFacts): Evidence {
  const all = [...facts.report.routes].sort((a, b) => b.count - a.count || byText(a.route, b.route));
  return {
    kind: 'table', title: 'Busiest routes', columns: [{ title: 'Route', unit: 'code' }, { title: 'Requests', unit: 'count' }, { title: 'Failed', unit: 'count' }, { title: 'p50', unit: 'ms' }, { title: 'p95', unit: 'ms' }],
    rows: all.slice(0, TOLD).map((r) => [oneLine(`${r.method} ${r.route}`), r.count, r.failures, r.p50 ?? null, r.p95 ?? null]), more: Math.max(0, all.length + facts.report.otherRoutes.distinct - TOLD),
  };
}

function askers(facts: HttpFacts): Evidence {
  const all = [...facts.report.clients.top].sort((a, b) => b.count - a.count || byText(a.name, b.name));
  return {
    kind: 'table', title: 'Who asked', columns: [{ title: 'Client', unit: 'code' }, { title: 'Requests', unit: 'count' }, { title: 'Failed', unit: 'count' }],
    rows: all.slice(0, TOLD).map((c) => [oneLine(c.name, 64), c.count, c.failures]), more: Math.max(0, facts.report.clients.distinct - TOLD),
  };
}

function perStep(facts: HttpFacts): Evidence {
  return { kind: 'series', title: `Requests per ${duration(facts.bucketMs)}`, metric: 'http.requests', points: facts.buckets.map((b) => [b.at, b.ok + b.refused + b.failed]) };
}
