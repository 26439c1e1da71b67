// Owns what a failure looks like: status, sub-status and win32 of each way to fail, and the page the client gets.

export interface Signature {
  readonly status: number;
  readonly substatus: number;
  readonly win32: number;
}

/** win32 numbers as they stand in the HTTP log. */
export const win32 = {
  none: 0,
  networkNameGone: 64,
  semaphoreTimeout: 121,
  httpTimeout: 12002,
  cannotConnect: 12029,
  connectionEnded: 12030,
  invalidResponse: 12152,
} as const;

export const signatures = {
  notListening: { status: 502, substatus: 3, win32: win32.cannotConnect },
  connectionEnded: { status: 502, substatus: 3, win32: win32.connectionEnded },
  invalidResponse: { status: 502, substatus: 3, win32: win32.invalidResponse },
  handlerLimit: { status: 502, substatus: 3, win32: win32.httpTimeout },
  requestLimit: { status: 500, substatus: 121, win32: win32.none },
  rapidFail: { status: 503, substatus: 0, win32: win32.none },
  /**
   * The client went before anything was answered. 400.604 is ARR's own number for it and says by itself that the app
   * is not at fault; 502.3/64 would say the same but looks like a bad gateway to whoever counts 5xx.
   */
  clientGone: { status: 400, substatus: 604, win32: win32.networkNameGone },
  /** The client stopped sending its body, or stopped reading, until the request limit passed. */
  clientStalled: { status: 400, substatus: 604, win32: win32.semaphoreTimeout },
  /** An upgrade other than WebSocket that brings a body: the body cannot be read once the parser has let go of the socket. */
  upgradeWithBody: { status: 501, substatus: 0, win32: win32.none },
} as const satisfies Record<string, Signature>;

/**
 * The row of an exchange that broke after its head was sent: the status on the wire stands, only win32 can still say why.
 * No source found for how HttpPlatformHandler logs this (U); IIS never rewrites a status that was sent.
 */
export function afterHead(sentStatus: number, reason: number): Signature {
  return { status: sentStatus, substatus: 0, win32: reason };
}

/** Which signature an error of the connection to the worker means. */
export function signatureOf(error: NodeJS.ErrnoException): Signature {
  const code = error.code ?? '';
  // llhttp's codes: what came was not HTTP, or its head was larger than the handler takes.
  if (code.startsWith('HPE_') || code === 'ERR_HTTP_INVALID_STATUS_CODE' || code === 'ERR_INVALID_CHAR') {
    return signatures.invalidResponse;
  }
  if (error.syscall === 'connect') return code === 'ETIMEDOUT' ? signatures.handlerLimit : signatures.notListening;
  return signatures.connectionEnded;
}

const titles: Readonly<Record<number, readonly [string, string]>> = {
  400: ['Bad Request', 'The request could not be read.'],
  500: ['The request timed out', 'The web server failed to respond within the specified time.'],
  501: ['Not Implemented', 'The server does not support the upgrade that was asked for.'],
  502: ['Web server received an invalid response while acting as a gateway or proxy server', 'There is a problem with the page you are looking for, and it cannot be displayed.'],
  503: ['Service Unavailable', 'The service is unavailable.'],
};

/** The small page IIS gives: status and its sentence, never the sub-status, which only the log knows. */
export function errorPage(status: number): string {
  const [title, text] = titles[status] ?? ['Error', 'The request failed.'];
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${status} - ${title}</title>
<style>body{margin:0;font:14px/20px Verdana,Arial,sans-serif;background:#eee;color:#000}h1{margin:0;padding:10px 2%;font-size:22px;background:#555;color:#fff}main{margin:12px 2%;padding:10px;background:#fff}h2{margin:0;font-size:16px;color:#c00}</style>
</head><body><h1>Server Error</h1><main><h2>${status} - ${title}.</h2><p>${text}</p></main></body></html>
`;
}
