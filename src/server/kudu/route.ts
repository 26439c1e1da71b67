// Owns how a handler gets onto Kudu's addresses: with and without `/api`, guarded, and with an answer of JSON where it gives one.
import type { Request, Response, Router } from 'express';
import { DiagError } from '../../shared/errors.ts';
import type { Guard } from '../guard.ts';
import { signalOf } from '../mount.ts';

export interface KuduCall {
  readonly req: Request;
  readonly res: Response;
  readonly who: string;
  /** Aborts when the client goes away before the answer. */
  readonly signal: AbortSignal;
  /** A part of the address. */
  param(name: string): string;
}
/** Gives what is answered as JSON with status 200; undefined: it has answered itself. */
export type KuduHandler = (call: KuduCall) => Promise<unknown>;
type Method = 'get' | 'post' | 'put' | 'delete';

export class KuduRoutes {
  readonly #router: Router;
  readonly #guard: Guard;

  constructor(router: Router, guard: Guard) {
    this.#router = router;
    this.#guard = guard;
  }

  on(method: Method, path: string, handler: KuduHandler): this {
    this.#router[method](both(path), async (req, res) => { await this.#answer(req, res, handler); });
    return this;
  }

  /** Everything below an address, in any method: the rest of it is req.url, as it was sent. */
  below(path: string, handler: KuduHandler): this {
    this.#router.use(both(path), async (req, res) => { await this.#answer(req, res, handler); });
    return this;
  }

  /** What is known here, but not by this method. */
  refuse(...paths: string[]): this {
    for (const path of paths) this.#router.all(both(path), (req) => { throw new DiagError('METHOD_REFUSED', { method: req.method, path: req.originalUrl.split('?', 1)[0] ?? '' }); });
    return this;
  }

  async #answer(req: Request, res: Response, handler: KuduHandler): Promise<void> {
    this.#guard.checkAtKudu(req);
    const who = this.#guard.whoAtKudu(req);
    const answer = await handler({ req, res, who, signal: signalOf(res), param: (name) => String((req.params as Record<string, unknown>)[name] ?? '') });
    if (answer !== undefined && !res.headersSent) res.status(200).type('application/json').send(JSON.stringify(answer));
  }
}

const both = (path: string): string[] => [`/api${path}`, path];

/** For what costs something although it is asked with GET: a HEAD must not do it. */
export function refuseHead(req: Request): void {
  if (req.method === 'HEAD') throw new DiagError('METHOD_REFUSED', { method: req.method, path: req.path });
}
