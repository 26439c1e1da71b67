// Owns the typed client of the API, for page, CLI and tests: it is given fetch and needs neither DOM nor Node types.
import { ApiProblem } from './api-problem.ts';
import { api, type AnswerOf, type Api, type CallOf, type Problem, type Route, type RouteName } from './api.ts';

export { ApiProblem } from './api-problem.ts';

export interface Answer { readonly ok: boolean; readonly status: number; readonly headers: { get(name: string): string | null }; json(): Promise<unknown>; text(): Promise<string> }
export type Fetch = (url: string, init: { method: string; headers: Record<string, string>; body?: string; signal?: unknown }) => Promise<Answer>;

type Call<R extends Route> = object extends CallOf<R> ? [call?: CallOf<R> & Extra] : [call: CallOf<R> & Extra];
interface Extra { readonly signal?: unknown }
export type Diag = { readonly [N in RouteName]: (...call: Call<Api[N]>) => Promise<AnswerOf<Api[N]>> };

/** base: the address of the agent without trailing slash ("http://127.0.0.1:8081/diag", or "" relative to the page). Throws ApiProblem for every refusal. */
export function connect(base: string, fetch: Fetch, headers: Record<string, string> = {}): Diag {
  const calls = Object.entries(api).map(([name, route]) => [name, (call: { params?: object; query?: object; body?: unknown; signal?: unknown } = {}) => send(base, fetch, headers, route, call)]);
  return Object.fromEntries(calls) as Diag;
}

/** The address of a route with its parameters, for links and downloads. */
export function address(base: string, name: RouteName, params: object = {}, query: object = {}): string {
  const route: Route = api[name];
  const path = route.path.replace(/:(\w+)/g, (_, key: string) => encodeURIComponent(String((params as Record<string, unknown>)[key])));
  const pairs = Object.entries(query).filter(([, v]) => v !== undefined).map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(Array.isArray(v) ? v.join(',') : String(v))}`);
  return `${base}${path}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
}

async function send(base: string, fetch: Fetch, headers: Record<string, string>, route: Route, call: { params?: object; query?: object; body?: unknown; signal?: unknown }): Promise<unknown> {
  const name = (Object.keys(api) as RouteName[]).find((n) => api[n] === route) as RouteName;
  const answer = await fetch(address(base, name, call.params, call.query), {
    method: route.method,
    headers: { accept: 'application/json', ...(route.method === 'GET' ? {} : { 'x-diag': '1', 'content-type': 'application/json' }), ...headers },
    ...(route.method === 'POST' || route.method === 'PUT' ? { body: JSON.stringify(call.body ?? {}) } : {}),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  });
  if (answer.ok) return answer.json();
  throw new ApiProblem(await problemOf(answer));
}

async function problemOf(answer: Answer): Promise<Problem> {
  const isProblem = (answer.headers.get('content-type') ?? '').includes('problem+json');
  if (isProblem) return await answer.json() as Problem;
  return { type: 'about:blank', title: 'Unexpected answer', status: answer.status, code: 'UNREACHABLE', detail: `The address answered ${answer.status} without our problem format; it may not be an agent.` };
}
