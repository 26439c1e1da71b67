// Owns what the codes of a failed row say about how it ended: the effect that a cause must explain, whatever front wrote it.

/**
 * broke: the connection to the app ended in mid-request. refused: nothing listens. silent: no answer within a limit of the front or the handler.
 * stopped: the platform answered for an app that is not running. unstartable: the app did not start. busy: a queue or a pipe was full. recycling: the app is being replaced.
 * invalid: what the app answered is no HTTP. unnamed: the app server's name does not resolve. configured: the server's own configuration is wrong.
 * answered: the app itself answered with a status of 500 or above. gateway: a bare 502, 503 or 504 whose kind no column tells. aborted: the client went.
 * gone: the connection is gone and nobody says who closed it.
 */
export const EFFECTS = ['broke', 'refused', 'silent', 'stopped', 'unstartable', 'busy', 'recycling', 'invalid', 'unnamed', 'configured', 'answered', 'gateway', 'gone', 'aborted', 'fine'] as const;
export type Effect = (typeof EFFECTS)[number];

interface Codes { readonly status: number; readonly sub?: number | undefined; readonly win32?: number | undefined }

const PIPE_BUSY = new Set([109, 231]);
const GONE = new Set([64, 995, 1229, 1236]);
const TIMED_OUT = new Set([12002, 121, 258, 1460, 10060]);

/** `bare`: the log has no column for a sub-status (nginx, Apache, Caddy). */
export function effectOf({ status, sub, win32 }: Codes): Effect {
  if (status < 500) return 'fine';
  if (sub === undefined) return status === 502 || status === 504 || status === 503 ? 'gateway' : status === 499 ? 'aborted' : 'answered';
  if (status === 502) return of502(sub, win32);
  if (status === 503) return of503(sub);
  if (status === 500) return of500(sub, win32);
  return 'answered';
}

function of502(sub: number, win32 = 0): Effect {
  if (sub === 1) return 'silent';
  if (sub === 2) return 'broke';
  if (sub === 4) return 'refused';
  if (sub === 5) return 'unstartable';
  if (sub !== 3 && sub !== 0) return 'gateway';
  if (win32 === 0 && sub === 0) return 'answered';
  if (TIMED_OUT.has(win32)) return 'silent';
  if (win32 === 12029 || win32 === 10061 || win32 === 2) return 'refused';
  if (win32 === 12007) return 'unnamed';
  if (win32 === 12152) return 'invalid';
  if (win32 === 12030 || win32 === 109 || win32 === 10054) return 'broke';
  return GONE.has(win32) ? 'gone' : 'gateway';
}

/** 503.0 is the pool's own answer, and what an app's 503 looks like when the handler passes it on: the events tell them apart. */
function of503(sub: number): Effect {
  if (sub === 0) return 'stopped';
  if (sub === 1001) return 'recycling';
  if (sub === 1002) return 'unstartable';
  return sub === 2 || sub === 3 || sub === 4 || sub === 1000 || sub === 1003 ? 'busy' : 'gateway';
}

function of500(sub: number, win32 = 0): Effect {
  if (sub === 121) return 'silent';
  if (sub === 11 || sub === 12) return 'recycling';
  if (sub === 13) return 'busy';
  if (sub === 19 || (sub >= 21 && sub <= 24) || (sub >= 50 && sub <= 53)) return 'configured';
  if (sub >= 30 && sub <= 38) return 'unstartable';
  if (sub === 1001) return win32 === 2 ? 'refused' : PIPE_BUSY.has(win32) ? 'busy' : 'gateway';
  if (sub === 1002) return 'broke';
  if (sub === 1013) return win32 === 109 || win32 === 0 ? 'broke' : 'gone';
  if (sub >= 1003 && sub <= 1018) return win32 === 109 ? 'broke' : 'gone';
  return 'answered';
}
