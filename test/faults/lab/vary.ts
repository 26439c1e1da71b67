// Owns the variations of a recording: one source of evidence taken away, and the same story under other names, routes, ports, texts and time zones.
import type { CauseId } from '../../../src/shared/cause.ts';
import { effectsOf } from '../../../src/analyze/causes/edges.ts';
import type { Recorded, Recording } from './recording.ts';
import type { Outcome } from './outcome.ts';

/** What is collected by one way of looking, and would be missing together. */
export const SOURCES = ['http-log', 'event-log', 'changes', 'application-log', 'php-log', 'metrics', 'app-inside', 'thread-dump', 'front-log'] as const;
export type LostSource = (typeof SOURCES)[number];

const isFront = (file: Recorded): boolean => file.kind === 'application-log' && /^\d{4}\/\d\d\/\d\d [\d:]{8} \[/.test(file.text);
const sourceOf = (file: Recorded): string => (isFront(file) ? 'front-log' : file.kind);

/** Undefined: it has nothing of that source. */
export function without(recording: Recording, source: LostSource): Recording | undefined {
  const files = recording.files.filter((file) => sourceOf(file) !== source);
  return files.length === recording.files.length ? undefined : { ...recording, files };
}

/** right: still first. weaker: nothing is named, or only an effect or a general form of it, or what was named beside it. wrong: something else is named. */
export function verdictOf(cause: CauseId, outcome: Outcome, whole: Outcome): 'right' | 'weaker' | 'wrong' {
  if (outcome.rank === 1) return 'right';
  if (outcome.first === 'none' || outcome.first === 'healthy' || GENERAL.has(outcome.first) || whole.found.includes(outcome.first)) return 'weaker';
  return effectsOf(cause).has(outcome.first) || outcome.word === 'possible' ? 'weaker' : 'wrong';
}

/** They say what was seen and name no mechanism. */
const GENERAL: ReadonlySet<string> = new Set(['application-error', 'exit-unexplained']);

const WORDS = ['kiefer', 'tanne', 'ahorn', 'buche', 'linde', 'erle', 'ulme', 'birke'];

/** Other names, routes, folders, ports and messages; codes and what runtimes say stay, for they are the evidence. */
export function renamed(recording: Recording): Recording {
  const routes = [...new Set(recording.files.filter((f) => f.kind === 'http-log').flatMap((f) => [...f.text.matchAll(/(?:GET|POST) (\/[\w-]+)/g)].map((m) => m[1] ?? '')))].filter((r) => r.length > 2).sort((a, b) => b.length - a.length);
  const ports = new Map<string, string>();
  const swap = (text: string): string => {
    let out = text;
    routes.forEach((route, i) => { out = out.replace(new RegExp(`(?<![\\w.-])${route}(?=[\\s?"',.]|\\\\|$)`, 'gm'), `/${WORDS[i % WORDS.length]}-${i}`); });
    return out
      .replace(/CONTOSO-SHOP/g, 'HAUS-AM-SEE').replace(/contoso-shop/g, 'haus-am-see').replace(/shop\.example/g, 'see.example').replace(/wwwroot\/server\.js/g, 'wwwroot/dienst.js').replace(/\bfaults-[A-Za-z0-9]{6}/g, 'anderswo')
      .replace(/\b(?:127\.0\.0\.1:|port ?'?:? ?|localhost:|[Ll]istening on )(\d{4,5})\b/g, (whole, port: string) => whole.replace(port, ports.get(port) ?? (ports.set(port, String(10_000 + ((Number(port) * 7) % 50_000))), ports.get(port) ?? port)))
      .replace(/\b((?:Type|Range)?Error): (?![^\n"\\]*(?:\bE[A-Z]{3,}|imeout|timed|Cannot find|heap|ENOSPC|environment variable))[^\n"\\]{3,200}/g, '$1: etwas ging schief');
  };
  return { ...recording, files: recording.files.map((file) => ({ ...file, text: swap(file.text) })) };
}

const HOURS = 3;
const two = (n: number): string => String(n).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** nginx of a machine three hours west of us: the access log says its zone, the error log does not. */
export function movedWest(recording: Recording): Recording | undefined {
  if (!recording.files.some(isFront)) return undefined;
  const access = (text: string): string => text.replace(/\[(\d\d)\/(\w{3})\/(\d{4}):(\d\d):(\d\d):(\d\d) \+0000\]/g, (_, d: string, m: string, y: string, h: string, min: string, s: string) => {
    const at = new Date(Date.UTC(Number(y), MONTHS.indexOf(m), Number(d), Number(h) - HOURS, Number(min), Number(s)));
    return `[${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}:${two(at.getUTCHours())}:${min}:${s} -0300]`;
  });
  const error = (text: string): string => text.replace(/^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d) /gm, (_, y: string, m: string, d: string, h: string, min: string, s: string) => `${new Date(Date.UTC(Number(y), Number(m) - 1, Number(d), Number(h) - HOURS, Number(min), Number(s))).toISOString().slice(0, 19).replace(/-/g, '/').replace('T', ' ')} `);
  return { ...recording, files: recording.files.map((file) => (file.kind === 'http-log' ? { ...file, text: access(file.text) } : isFront(file) ? { ...file, text: error(file.text) } : file)) };
}
