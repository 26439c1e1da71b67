// Owns an HTTP proxy that speaks like iisnode: TCP in front, the named pipe of a Node program behind, URLs as they came, upgrades passed through.
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createConnection, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ProxyOptions {
  /** The pipe that stands in the PORT of the program behind; or a Unix socket, or a TCP port. */
  readonly to: string | number;
  /** The application's path; other requests are answered 404, as the parent site would. Default: every path is the application's. */
  readonly below?: string;
  /** Port to listen on at 127.0.0.1; default: any free one. */
  readonly port?: number;
}

export interface Proxy { readonly port: number; close(): Promise<void> }

/** iisnode's namedPipeConnectionRetryDelay and maxNamedPipeConnectionRetry: a program that starts may take 25 s to its first listen. */
const RETRY_EVERY_MS = 250;
const RETRIES = 100;
/** What IIS and the front end in front of it add to every request. */
const ADDED = {
  'x-arr-log-id': '0f8fad5b-d9cb-469f-a165-70867728950e', 'x-forwarded-for': '203.0.113.7:50123', 'x-forwarded-proto': 'https', 'x-site-deployment-id': 'shop', 'was-default-hostname': 'shop.scm.azurewebsites.net',
};

/** Connections to the program behind are kept without an end of their own: the program's keep-alive is the shorter one, as it must bear behind IIS. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const agent = new Agent({ keepAlive: true });
  const open = new Set<Duplex>();
  const mine = (url: string): boolean => options.below === undefined || url === options.below || url.startsWith(`${options.below}/`) || url.startsWith(`${options.below}?`);
  const server = createServer((asked, answer) => { if (mine(asked.url ?? '/')) pass(options, agent, asked, answer, RETRIES); else notFound(answer, asked.url ?? '/'); });
  server.on('upgrade', (asked, socket, head) => { if (mine(asked.url ?? '/')) upgrade(options, asked, socket, head, open, RETRIES); else socket.destroy(); });
  server.requestTimeout = 0;
  await new Promise<void>((done, failed) => { server.once('error', failed); server.listen(options.port ?? 0, '127.0.0.1', done); });
  return { port: (server.address() as AddressInfo).port, close: () => close(server, agent, open) };
}

function target(to: string | number): { socketPath: string } | { host: string; port: number } {
  return typeof to === 'number' ? { host: '127.0.0.1', port: to } : { socketPath: to };
}

function connects(to: string | number): Socket {
  return createConnection(typeof to === 'number' ? { host: '127.0.0.1', port: to } : { path: to });
}

function notFound(answer: ServerResponse, url: string): void {
  answer.writeHead(404, { 'content-type': 'text/plain' });
  answer.end(`the parent site has nothing at ${url}\n`);
}

/** Nobody listens yet (or the pipe is just being made): the only case in which a request may be sent again. */
function notYet(error: NodeJS.ErrnoException): boolean { return ['ENOENT', 'ECONNREFUSED', 'EBUSY'].includes(error.code ?? ''); }

function pass(options: ProxyOptions, agent: Agent, asked: IncomingMessage, answer: ServerResponse, tries: number): void {
  const onward = request({ ...target(options.to), agent, method: asked.method, path: asked.url, headers: { ...asked.headers, ...ADDED } });
  onward.on('response', (got) => {
    answer.writeHead(got.statusCode ?? 502, got.statusMessage, got.headers);
    // flushResponse="true": nothing is held back.
    answer.flushHeaders();
    got.pipe(answer);
    got.on('error', () => { answer.destroy(); });
  });
  onward.on('error', (error: NodeJS.ErrnoException) => {
    if (notYet(error) && tries > 0) { setTimeout(() => { pass(options, agent, asked, answer, tries - 1); }, RETRY_EVERY_MS); return; }
    if (answer.headersSent) { answer.destroy(); return; }
    answer.writeHead(error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 500 : 502, { 'content-type': 'text/plain', 'x-iisnode-error': error.code ?? 'unknown' });
    answer.end(`iisnode encountered an error: ${error.message}\n`);
  });
  answer.on('close', () => { if (!answer.writableFinished) onward.destroy(); });
  asked.pipe(onward);
}

function upgrade(options: ProxyOptions, asked: IncomingMessage, socket: Duplex, head: Buffer, open: Set<Duplex>, tries: number): void {
  const onward = connects(options.to);
  onward.once('error', (error: NodeJS.ErrnoException) => {
    if (notYet(error) && tries > 0) setTimeout(() => { upgrade(options, asked, socket, head, open, tries - 1); }, RETRY_EVERY_MS);
    else socket.destroy();
  });
  onward.once('connect', () => {
    const lines = [`${asked.method} ${asked.url} HTTP/1.1`];
    for (let i = 0; i < asked.rawHeaders.length; i += 2) lines.push(`${asked.rawHeaders[i]}: ${asked.rawHeaders[i + 1]}`);
    for (const [name, value] of Object.entries(ADDED)) lines.push(`${name}: ${value}`);
    onward.write(`${lines.join('\r\n')}\r\n\r\n`);
    onward.write(head);
    for (const one of [onward, socket]) {
      open.add(one);
      one.on('error', () => { /* the close that follows ends the other side */ });
      one.on('close', () => { open.delete(one); onward.destroy(); socket.destroy(); });
    }
    onward.pipe(socket);
    socket.pipe(onward);
  });
}

async function close(server: Server, agent: Agent, open: ReadonlySet<Duplex>): Promise<void> {
  const closed = new Promise<void>((done) => { server.close(() => { done(); }); });
  for (const one of open) one.destroy();
  server.closeAllConnections();
  agent.destroy();
  await closed;
}
