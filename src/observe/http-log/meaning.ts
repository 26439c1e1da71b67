// Owns what status, sub-status and win32 status of a row mean, in a few words. Sources: Microsoft's HTTP status code pages for IIS, iisnode's and HttpPlatformHandler's source.

export interface Meaning { readonly says: string }

/** Windows and WinHTTP errors as the win32 column has them. */
export const WIN32: Readonly<Record<number, string>> = {
  2: 'not found', 5: 'access denied', 64: 'network name gone', 109: 'broken pipe', 121: 'TCP timed out', 231: 'pipe busy', 258: 'wait timed out',
  995: 'aborted', 1229: 'connection does not exist', 1236: 'aborted locally', 1460: 'timed out', 10060: 'timed out', 10061: 'connection refused',
  12002: 'HTTP timed out', 12007: 'name not resolved', 12029: 'cannot connect', 12030: 'connection ended', 12152: 'invalid response',
};

/** Key `status.sub.win32` before `status.sub`. Entries without a source are not here, save where the page must say that there is none. */
const SAYS: Readonly<Record<string, string>> = {
  '400.604': 'the client was gone (not the app\'s fault)',
  '500.0.0': 'the app answered 500 itself, or a module reported an error',
  '500.0': 'handler failed to load, or a module reported an error',
  '500.11': 'application is shutting down',
  '500.12': 'application is restarting',
  '500.13': 'server too busy',
  '500.15': 'direct request for Global.asax',
  '500.19': 'web.config is invalid',
  '500.21': 'module in web.config not recognised',
  '500.22': 'web.config does not fit integrated mode (modules)',
  '500.23': 'web.config does not fit integrated mode (handlers)',
  '500.24': 'web.config does not fit integrated mode (impersonation)',
  '500.50': 'rewrite error',
  '500.51': 'rewrite error (global rules)',
  '500.52': 'rewrite error (outbound rules)',
  '500.53': 'rewrite error (outbound execution)',
  '500.100': 'ASP error',
  '500.30': 'ASP.NET Core app failed to start (in-process)',
  '500.31': 'ASP.NET Core: native dependency or runtime not found',
  '500.32': 'ASP.NET Core: 32/64-bit mismatch',
  '500.33': 'ASP.NET Core: request handler failed to load',
  '500.34': 'ASP.NET Core: mixed hosting models in one pool',
  '500.35': 'ASP.NET Core: several in-process apps in one pool',
  '500.36': 'ASP.NET Core: out-of-process handler failed to load',
  '500.37': 'ASP.NET Core: app did not start within the limit (120 s)',
  '500.38': 'ASP.NET Core: application DLL not found',
  '500.121': 'request exceeded a time limit of the platform',
  '500.121.64': 'request exceeded a time limit of the platform under saturation',
  '500.1000': 'iisnode: error executing the handler',
  '500.1001': 'iisnode: pipe to node failed',
  '500.1001.2': 'iisnode: node is not listening on its pipe',
  '500.1001.109': 'iisnode: node too busy to take the request (CPU or blocked event loop)',
  '500.1001.231': 'iisnode: node too busy to take the request (CPU or blocked event loop)',
  '500.1002': 'iisnode: node ended before the pipe was connected',
  '500.1003': 'iisnode: sending the request to node failed',
  '500.1013': 'iisnode: node\'s answer could not be read',
  '500.1013.109': 'iisnode: node closed the connection (crash, or its 5 s keep-alive)',
  '502.0': 'bad gateway',
  '502.1': 'CGI timed out',
  '502.2': 'CGI process ended early',
  '502.3': 'error forwarding the request to the app',
  '502.3.64': 'connection to the app gone',
  '502.3.121': 'TCP to the app timed out',
  '502.3.995': 'forwarding aborted',
  '502.3.1229': 'connection to the app does not exist',
  '502.3.12002': 'app did not answer in time',
  '502.3.12007': 'name of the app server not resolved',
  '502.3.12029': 'nothing listening (app not started yet, or on another port)',
  '502.3.12030': 'connection ended (worker exited or recycled, or keep-alive race)',
  '502.3.12152': 'app sent an invalid response',
  '502.4': 'no server to send the request to',
  '502.5': 'ASP.NET Core app failed to start (out of process)',
  '502.6': 'forwarding the request failed',
  '502.7': 'executing the forwarded request failed',
  '503.0': 'application stopped or stopped by rapid-fail protection',
  '503.2': 'limit of concurrent requests reached',
  '503.3': 'ASP.NET queue full',
  '503.4': 'FastCGI queue full',
  '503.65': '503 with an undocumented sub-status',
  '503.1000': 'iisnode: no quota or memory for the request',
  '503.1001': 'iisnode: application is recycling',
  '503.1002': 'iisnode: node cannot be started',
  '503.1003': 'iisnode: node\'s pipe too busy (CPU or blocked event loop)',
  '499': 'client closed the request',
  '504': 'upstream timed out',
};

/** iisnode's numbered steps: 500.1003–1012 send the request, 500.1014–1018 return the response. */
function iisnodeStep(status: number, sub: number): string | undefined {
  if (status !== 500) return undefined;
  if (sub >= 1003 && sub <= 1012) return 'iisnode: sending the request to node failed';
  if (sub >= 1014 && sub <= 1018) return 'iisnode: returning node\'s response failed';
  return undefined;
}

/** Time limits that show in time-taken, with their tolerance: the front end's 230 s (Linux 240 s), HttpPlatformHandler's and node's 120 s. */
function limitHint(status: number, sub: number | undefined, win32: number | undefined, takenMs: number): string | undefined {
  const near = (limitMs: number, withinMs: number): boolean => Math.abs(takenMs - limitMs) <= withinMs;
  if (status === 500 && sub === 121) {
    if (near(230_000, 2_000)) return 'the front end\'s limit of 230 s';
    if (near(240_000, 2_000)) return 'the front end\'s limit of 240 s';
    if (near(120_000, 2_000)) return 'the handler\'s default limit of 120 s';
  }
  if (status === 502 && sub === 3 && win32 === 12002 && near(120_000, 2_000)) return 'the handler\'s default limit of 120 s';
  if (status === 500 && sub === 1013 && near(120_000, 2_000)) return 'node\'s server timeout of 120 s';
  return undefined;
}

/**
 * What a row's codes say, in a few words; undefined when no source says it. `takenMs` adds the time limit it matches.
 * An unknown win32 status falls back to the sub-status, an unknown sub-status says nothing.
 */
export function meaning(status: number, sub?: number, win32?: number, takenMs?: number): Meaning | undefined {
  if (status < 400) return undefined;
  const exact = sub !== undefined && win32 !== undefined ? SAYS[`${status}.${sub}.${win32}`] : undefined;
  const bySub = sub !== undefined ? SAYS[`${status}.${sub}`] ?? iisnodeStep(status, sub) : undefined;
  const says = exact ?? (bySub !== undefined ? withWin32(bySub, win32) : sub === undefined || sub === 0 ? SAYS[String(status)] : undefined);
  if (says === undefined) return undefined;
  const hint = takenMs === undefined ? undefined : limitHint(status, sub, win32, takenMs);
  return { says: hint === undefined ? says : `${says}: ${hint}` };
}

function withWin32(says: string, win32: number | undefined): string {
  const word = win32 === undefined || win32 === 0 ? undefined : WIN32[win32];
  return word === undefined ? says : `${says} (${word})`;
}

/** "502.3.12030", with only the parts that are there. */
export function statusKey(status: number, sub?: number, win32?: number): string {
  if (sub === undefined) return String(status);
  return win32 === undefined ? `${status}.${sub}` : `${status}.${sub}.${win32}`;
}
