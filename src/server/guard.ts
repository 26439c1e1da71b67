// Owns who may do what: host names, token and cookie, origin and header of changes, and the headers that keep the page closed.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { DiagError } from '../shared/errors.ts';

export interface GuardSettings {
  readonly auth: 'platform' | 'token';
  readonly token: string;
  readonly hosts: readonly string[];
  readonly base: string;
}

export interface Guard {
  /** @throws HOST_REFUSED when the name is not ours (DNS rebinding) */
  checkHost(req: IncomingMessage): void;
  /** Who asks; @throws TOKEN_MISSING */
  who(req: IncomingMessage): string;
  /** A request that another site's page sent names that site: refused, also for reading. @throws ORIGIN_REFUSED */
  checkOrigin(req: IncomingMessage): void;
  /** For everything that changes something. @throws ORIGIN_REFUSED, HEADER_MISSING */
  checkChange(req: IncomingMessage): void;
  /** Who asks at Kudu's addresses, whose programs send the token as the password of Basic authentication, with any name. @throws TOKEN_MISSING */
  whoAtKudu(req: IncomingMessage): string;
  /** For everything at Kudu's addresses: reading there stops processes too. @throws ORIGIN_REFUSED, HEADER_MISSING */
  checkAtKudu(req: IncomingMessage): void;
  /** For the upgrade of a socket: same origin, or a program with its token. @throws ORIGIN_REFUSED */
  checkSocket(req: IncomingMessage): void;
  /** A key for one sign-in; the link is `<base>/?once=<key>`. */
  once(): string;
  /** The cookie for a right token or unused key. @throws LOGIN_REFUSED */
  login(tokenOrKey: string, secure: boolean): string;
  logoutCookie(): string;
}

const COOKIE = 'diag';
const COOKIE_SECONDS = 7 * 86_400;
/** One-time keys that may wait unused; older ones are forgotten. */
const KEPT_KEYS = 16;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

export function createGuard(settings: GuardSettings): Guard {
  const keys = new Set<string>();
  const cookie = createHmac('sha256', settings.token).update('diag cookie v1').digest('base64url');
  const fits = (given: string, wanted: string): boolean => timingSafeEqual(digest(given), digest(wanted));
  const bearer = (req: IncomingMessage): string | undefined => /^Bearer (\S{1,300})$/i.exec(req.headers.authorization ?? '')?.[1];
  const rightBearer = (req: IncomingMessage): boolean => { const given = bearer(req); return given !== undefined && fits(given, settings.token); };
  const rightBasic = (req: IncomingMessage): boolean => { const given = passwordOf(req); return given !== undefined && fits(given, settings.token); };
  const who = (req: IncomingMessage): string => {
    if (settings.auth === 'platform') return platformUser(req);
    if (rightBearer(req)) return 'token';
    const given = bearer(req) === undefined ? cookieOf(req, COOKIE) : undefined;
    if (given !== undefined && fits(given, cookie)) return 'browser';
    throw new DiagError('TOKEN_MISSING');
  };

  return {
    checkHost(req) {
      if (settings.auth === 'platform') return;                // the front end lets only its own names through
      const name = hostName(req.headers.host ?? '');
      if (!LOOPBACK.has(name) && !settings.hosts.includes(name)) throw new DiagError('HOST_REFUSED', { host: name.slice(0, 100) || '(none)' });
    },
    who,
    checkOrigin,
    checkChange(req) {
      const site = req.headers['sec-fetch-site'];
      if (isForeign(site)) throw new DiagError('ORIGIN_REFUSED', { origin: String(site).slice(0, 200) });
      // A Bearer header is itself one that another site's page cannot send.
      if (settings.auth === 'token' && rightBearer(req)) return;
      if (req.headers['x-diag'] === undefined) throw new DiagError('HEADER_MISSING');
    },
    whoAtKudu(req) {
      if (settings.auth === 'platform' || passwordOf(req) === undefined) return who(req);
      if (rightBasic(req)) return 'token';
      throw new DiagError('TOKEN_MISSING');
    },
    checkAtKudu(req) {
      checkOrigin(req);
      const site = req.headers['sec-fetch-site'];
      // A browser that was given a name and password sends them along with everything, also with a link that stands elsewhere.
      if (isForeign(site)) throw new DiagError('ORIGIN_REFUSED', { origin: String(site).slice(0, 200) });
      if (isReading(req) || settings.auth === 'platform' || rightBearer(req) || rightBasic(req)) return;
      if (req.headers['x-diag'] === undefined) throw new DiagError('HEADER_MISSING');
    },
    checkSocket(req) {
      if (req.headers.origin !== undefined) { checkOrigin(req); return; }
      if (settings.auth === 'token' && rightBearer(req)) return;
      throw new DiagError('ORIGIN_REFUSED', { origin: '(none)' });
    },
    once() {
      const key = randomBytes(20).toString('base64url');
      keys.add(key);
      for (const old of [...keys].slice(0, Math.max(0, keys.size - KEPT_KEYS))) keys.delete(old);
      return key;
    },
    login(given, secure) {
      if (!keys.delete(given) && !fits(given, settings.token)) throw new DiagError('LOGIN_REFUSED');
      return `${COOKIE}=${cookie}; Path=${settings.base}; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
    },
    logoutCookie: () => `${COOKIE}=; Path=${settings.base}; Max-Age=0; HttpOnly; SameSite=Strict`,
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}

/** Easy Auth and the SCM front end name the user in a header; the front end removes such headers from outside. */
function platformUser(req: IncomingMessage): string {
  const name = req.headers['x-ms-client-principal-name'] ?? req.headers['x-ms-client-display-name'];
  return typeof name === 'string' && name.length > 0 ? name.slice(0, 200) : 'scm user';
}

/** A browser sends Origin with every change and every socket: it must be our own address. For an image, a script or a frame of another page it sends none, but tells it in
 *  Sec-Fetch-Site: refused too, since downloads and bundles leave traces. Only a link that a person follows (a document) may stand anywhere. */
function checkOrigin(req: IncomingMessage): void {
  const { origin, 'sec-fetch-site': site, 'sec-fetch-dest': what } = req.headers;
  if (origin === undefined) {
    if (isForeign(site) && what !== 'document') throw new DiagError('ORIGIN_REFUSED', { origin: String(site).slice(0, 200) });
    return;
  }
  const own = (req.headers.host ?? '').toLowerCase();
  const host = URL.canParse(origin) ? new URL(origin).host.toLowerCase() : '';
  if (host === '' || host !== own) throw new DiagError('ORIGIN_REFUSED', { origin: origin.slice(0, 200) });
}

/** `none`: a person typed the address or opened a bookmark. */
function isForeign(site: string | string[] | undefined): boolean {
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

const isReading = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD';

/** The password of Basic authentication (RFC 7617): what stands behind the first colon. */
function passwordOf(req: IncomingMessage): string | undefined {
  const given = /^Basic ([A-Za-z0-9+/=]{1,2000})$/i.exec(req.headers.authorization ?? '')?.[1];
  if (given === undefined) return undefined;
  const text = Buffer.from(given, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}

function cookieOf(req: IncomingMessage, name: string): string | undefined {
  for (const part of (req.headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2);
    if (key === name && value) return value;
  }
  return undefined;
}

const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/** Headers of every answer. */
export const closed: RequestHandler = (_req, res, next) => {
  res.setHeader('content-security-policy', CSP);
  res.setHeader('x-content-type-options', 'nosniff');
  res.setHeader('referrer-policy', 'same-origin');
  res.setHeader('x-frame-options', 'DENY');
  res.setHeader('cross-origin-opener-policy', 'same-origin');
  res.setHeader('cross-origin-resource-policy', 'same-origin');
  res.setHeader('cache-control', 'no-store');
  next();
};
