// Owns the one way a route gets onto the server: from the contract, with parsed input, a guarded change and a checked answer.
import type { Request, Response, Router } from 'express';
import type { z } from 'zod';
import { api, type AnswerOf, type Api, type BodyOf, type ParamsOf, type QueryOf, type Route, type RouteName } from '../shared/api.ts';
import { DiagError } from '../shared/errors.ts';
import { InputError } from './problem.ts';
import type { Guard } from './guard.ts';

export interface Call<R extends Route> {
  readonly params: ParamsOf<R>;
  readonly query: QueryOf<R>;
  readonly body: BodyOf<R>;
  readonly who: string;
  /** Aborts when the client goes away before the answer. */
  readonly signal: AbortSignal;
  readonly req: Request;
  readonly res: Response;
}
export type Handler<R extends Route> = (call: Call<R>) => Promise<AnswerOf<R>>;
export type Handlers = { readonly [N in RouteName]: Handler<Api[N]> };

/** Mounts every route of the contract: a missing handler does not compile. */
export function mountAll(router: Router, handlers: Handlers, guard: Guard): void {
  for (const name of Object.keys(api) as RouteName[]) mount(router, api[name], handlers[name] as unknown as Handler<Route>, guard);
  for (const path of new Set(Object.values(api).map((r) => r.path))) {
    router.all(path, (req) => { throw new DiagError('METHOD_REFUSED', { method: req.method, path: req.baseUrl + req.path }); });
  }
}

function mount(router: Router, route: Route, handler: Handler<Route>, guard: Guard): void {
  const method = route.method.toLowerCase() as 'get' | 'post' | 'put' | 'delete';
  router[method](route.path, async (req, res) => {
    guard.checkOrigin(req);
    const who = route.open ? 'anyone' : guard.who(req);
    if (route.method !== 'GET') guard.checkChange(req);
    const input = {
      params: parse('params', route.params, req.params),
      query: parse('query', route.query, req.query),
      body: parse('body', route.body, req.body ?? {}),
    };
    const answer = await handler({ ...input, who, signal: signalOf(res), req, res } as unknown as Call<Route>);
    if (!res.headersSent && answer !== undefined) send(res, route, answer);
  });
}

function parse(where: string, schema: z.ZodType | undefined, value: unknown): unknown {
  if (!schema) return undefined;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new InputError(where, parsed.error);
  return parsed.data;
}

/** The first JSON status of the contract; the answer is checked against its schema where a mistake should be loud (not in production). */
function send(res: Response, route: Route, answer: unknown): void {
  const [status, schema] = Object.entries(route.answers).find(([, s]) => typeof s !== 'string') ?? ['200', undefined];
  if (checksAnswers && schema && typeof schema !== 'string') schema.parse(answer);
  res.status(Number(status)).type('application/json').send(JSON.stringify(answer));
}

let checksAnswers = false;
/** Tests switch this on: an answer that breaks the contract then fails the request. */
export function checkAnswers(on: boolean): void { checksAnswers = on; }

/** Aborts when the client goes away before the answer. */
export function signalOf(res: Response): AbortSignal {
  const gone = new AbortController();
  res.once('close', () => { if (!res.writableFinished) gone.abort(); });
  return gone.signal;
}
