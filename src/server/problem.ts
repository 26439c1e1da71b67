// Owns the way from an error to an answer: application/problem+json with a stable code, and nothing of the inside.
import type { ErrorRequestHandler, Response } from 'express';
import { z } from 'zod';
import { DiagError, codeOf, errors } from '../shared/errors.ts';
import type { Problem } from '../shared/api.ts';

export type Report = (error: unknown, operation: string) => void;

/** A schema's refusal as BAD_INPUT with the place of each fault. */
export class InputError extends DiagError {
  readonly issues: Problem['issues'];
  constructor(where: string, error: z.ZodError) {
    super('BAD_INPUT', { why: error.issues.slice(0, 3).map((i) => `${[where, ...i.path].join('.')}: ${i.message}`).join('; ') });
    this.issues = error.issues.slice(0, 20).map((i) => ({ path: [where, ...i.path].join('.'), message: i.message }));
  }
}

export function problemOf(error: unknown, operation?: string): Problem {
  const known = fromExpress(error) ?? error;
  const code = codeOf(known);
  const say = known instanceof DiagError ? known : new DiagError(code, {});
  return {
    type: `https://diag.invalid/errors#${code}`,
    title: code.toLowerCase().replaceAll('_', ' '),
    status: errors[code].status,
    code,
    detail: say.message,
    ...(say.next ? { next: say.next } : {}),
    ...(known instanceof InputError && known.issues ? { issues: known.issues } : {}),
    ...(operation ? { operation } : {}),
  };
}

/** Errors of body parsing, path decoding and file sending, in our words. */
function fromExpress(error: unknown): DiagError | undefined {
  if (error instanceof DiagError || !(error instanceof Error)) return undefined;
  const { status, type } = error as Error & { status?: number; type?: string };
  if (type === 'entity.too.large') return new DiagError('BODY_TOO_LARGE', { limit: '64 KiB' }, { cause: error });
  if (status === 416) return new DiagError('RANGE_BAD', {}, { cause: error });
  if (status === 404) return new DiagError('NOT_FOUND', { path: 'this address' }, { cause: error });
  if (status !== undefined && status >= 400 && status < 500) return new DiagError('BAD_INPUT', { why: type ?? 'the request could not be read' }, { cause: error });
  return undefined;
}

export function answerProblem(res: Response, problem: Problem): void {
  if (problem.status === 401) res.setHeader('www-authenticate', 'Bearer realm="diag"');
  res.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

let counter = 0;
/** The last middleware: every error leaves as a problem; unforeseen ones keep their stack in the agent's log under an id. */
export function problems(report: Report): ErrorRequestHandler {
  return (error: unknown, _req, res, next) => {
    if (res.headersSent) { next(error); return; }
    const unforeseen = codeOf(error) === 'INTERNAL' && !fromExpress(error);
    const operation = unforeseen ? `e${(counter += 1).toString(36)}` : undefined;
    if (operation) report(error, operation);
    for (const name of ['content-disposition', 'content-range', 'accept-ranges', 'etag', 'last-modified', 'cache-control']) res.removeHeader(name);
    answerProblem(res, problemOf(error, operation));
  };
}
