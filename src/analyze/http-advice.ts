// Owns what to say about a failing status code: why it matters and what to do next, from the platform's documented meanings.
import type { Finding } from '../shared/model.ts';

export interface Advice { readonly why: string; readonly advice: string; readonly mitigations?: Finding['mitigations'] }

/** Keys from exact to general: `502.3.12030`, then `502.3`, then `502`. The sources are App Service's, IIS's, ARR's and iisnode's documentation. */
const ADVICE: Readonly<Record<string, Advice>> = {
  '502.3.12030': {
    why: 'The connection to the app ended while the request was running: the worker process exited or was recycled, or it closed an idle connection at the moment the front end used it again (keep-alive race).',
    advice: 'Look for the exit: a worker that ended within a minute of these rows is a crash or a recycle.\nIf there was none: set `keepAliveTimeout` to 65 s and `headersTimeout` to 66 s in the app, so that it outlives the front end\'s connections.',
  },
  '502.3.12029': {
    why: 'Nothing accepted the connection: the app was not listening yet, listens on another port than `PORT`, or was down between two workers.',
    advice: 'Compare with the starts of the worker: rows in the seconds after an exit are its shadow.\nIf they go on: listen on the port in `PORT`, on all interfaces, before slow start-up work.',
  },
  '502.3.12002': {
    why: 'The app took the request and did not answer within the handler\'s limit (HttpPlatformHandler: `requestTimeout`, 120 s by default).',
    advice: 'Find what the slow route waits for: a blocked event loop, a dependency, a lock.\nLong work: answer 202 at once and let the client ask for the result.',
    mitigations: ['restart'],                                  // a hung worker answers again after a restart; the cause stays
  },
  '502.3.12152': {
    why: 'The app answered with something that is no valid HTTP response: a malformed or too large header, or another protocol.',
    advice: 'Look at the headers that these routes set: line breaks, non-ASCII text and very large cookies are the usual ones.',
  },
  '502.3': { why: 'Forwarding the request to the app failed.', advice: 'Compare the times with exits and restarts of the worker and with its CPU.' },
  '502.4': { why: 'The front end had no server to send the request to.', advice: 'Look at the health of the instances and at the app\'s start.' },
  '502.5': { why: 'The ASP.NET Core process failed to start.', advice: 'Read the event log rows of `IIS AspNetCore Module V2` and the stdout log.' },
  '500.30': { why: 'The ASP.NET Core app threw while it started.', advice: 'Read the event log row of the same second and the stdout log: they carry the exception.' },
  '500.121': {
    why: 'The request exceeded a time limit of the platform. The app goes on working on a request that nobody waits for any more.',
    advice: 'Find what the slow route waits for.\nLong work: answer 202 at once and let the client ask for the result.\nAuto-heal\'s status rule cannot see 500.121: use a slow-request rule.',
  },
  '500.1001': { why: 'iisnode could not hand the request to node through its pipe: node was not listening, or too busy to accept.', advice: 'Look at CPU and at blocking code at these times; then at the start of the app.' },
  '500.1002': { why: 'Node ended before iisnode\'s pipe was connected: it crashed while it started.', advice: 'Read LogFiles/Application: the exception stands there.' },
  '500.1013': {
    why: 'Node\'s answer could not be read: the process ended in mid-request, or node closed an idle connection after its default of 5 s at the moment iisnode used it again.',
    advice: 'Look for an exit within a minute: then it is a crash.\nIf there was none: raise `keepAliveTimeout` and `headersTimeout` above 120 s.',
  },
  '500.19': { why: 'web.config cannot be used.', advice: 'Compare web.config with the last deployment that worked.' },
  '500.0': { why: 'The app answered 500 itself, or a module of the web server reported an error.', advice: 'Look at the error entries of the application log at these times, by route.' },
  '503.0': {
    why: 'The site answered for the app: the app is stopped, or rapid-fail protection stopped it after too many crashes, or a quota is used up. Users who were turned away at the front end are not in this log at all.',
    advice: 'Look for crashes in the minute before: ten within a minute stop the app.\nIf there were none: check in the portal that the site is started and within its quotas.',
  },
  '503.2': { why: 'The limit of concurrent requests was reached: requests queue faster than they are answered.', advice: 'Find the slowest routes; scale out while that is being fixed.' },
  '503.3': { why: 'ASP.NET\'s queue is full: all threads wait.', advice: 'Find what the threads wait for: a memory dump of the worker shows it.' },
  '503.4': { why: 'FastCGI\'s queue is full: every php-cgi process is busy.', advice: 'Find the slow scripts, or raise the number of php-cgi processes.' },
  '503.65': { why: 'A 503 with a sub-status that no documentation explains.', advice: 'Compare the times with restarts, deployments and platform events.' },
  '503.1003': { why: 'iisnode\'s pipe to node was too busy: node did not accept in time.', advice: 'Look at CPU and at blocking code at these times.' },
  '500': { why: 'The app answered 500 itself.', advice: 'Look at the error entries of the application log at these times, by route.' },
  '502': { why: 'The front end got no usable answer from the app.', advice: 'Compare the times with exits and restarts of the worker.' },
  '503': { why: 'The service was not available.', advice: 'Compare the times with exits, restarts and the state of the site.' },
  '504': { why: 'The front end gave up waiting for the app.', advice: 'Find what the slow routes wait for.' },
};

const GENERAL: Advice = { why: 'These requests were answered with a server error.', advice: 'Compare the times with exits, deployments and the error entries of the application log.' };

export function adviceFor(status: number, sub: number | undefined, win32: number | undefined): Advice {
  return ADVICE[`${status}.${sub}.${win32}`] ?? ADVICE[`${status}.${sub}`] ?? ADVICE[`${status}`] ?? GENERAL;
}
