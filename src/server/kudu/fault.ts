// Owns how errors look at Kudu's addresses: its three members, our codes and sentences, never a stack.
import type { ErrorRequestHandler, Request, Response } from 'express';
import { codeOf, DiagError, errors } from '../../shared/errors.ts';
import { problemOf, type Report } from '../problem.ts';

/** Statuses that Kudu's clients know another way than our own API's. */
const KUDU_STATUS: Readonly<Record<string, number>> = { ZIP_REFUSED: 400, PATH_REFUSED: 400, FILE_CHANGED: 412, METHOD_REFUSED: 405 };

export function answerFault(res: Response, status: number, message: string, code: string): void {
  res.status(status).type('application/json').send(JSON.stringify({ Message: message, ExceptionMessage: message, ExceptionType: code }));
}

/** A program that waits to be asked for a password is asked; a browser is not, so that it never keeps one and sends it along by itself. */
function challenge(req: Request, res: Response): void {
  const agent = req.headers['user-agent'] ?? '';
  // Browsers tell Sec-Fetch only to addresses they trust; PowerShell calls itself Mozilla too.
  const isBrowser = Object.keys(req.headers).some((name) => name.startsWith('sec-fetch-')) || (agent.startsWith('Mozilla/') && !agent.includes('PowerShell'));
  res.setHeader('www-authenticate', isBrowser ? 'Bearer realm="diag"' : 'Basic realm="diag", charset="UTF-8"');
}

let counter = 0;
/** Unforeseen ones keep their stack in the agent's log under a number. */
export function kuduFaults(report: Report): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) { res.destroy(); return; }            // cut off: a whole answer it is not
    void next;
    const problem = problemOf(error);
    const unforeseen = problem.code === 'INTERNAL';
    const number = unforeseen ? `k${(counter += 1).toString(36)}` : undefined;
    if (number !== undefined) report(error, number);
    for (const name of ['content-disposition', 'content-range', 'accept-ranges', 'last-modified', 'content-length']) res.removeHeader(name);
    if (problem.status === 401) challenge(req, res);
    const said = error instanceof DiagError && error.next !== undefined ? `${error.message} ${error.next}` : problem.detail;
    answerFault(res, KUDU_STATUS[problem.code] ?? problem.status, number === undefined ? said : `${said} (${number})`, problem.code);
  };
}

export const isFault = (error: unknown, code: keyof typeof errors): boolean => codeOf(error) === code;
