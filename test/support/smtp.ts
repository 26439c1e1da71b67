// Owns a mail server for tests: SMTP with STARTTLS or TLS and AUTH, over real sockets; it keeps what it took, and can refuse.
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { TLSSocket, createSecureContext, createServer as createTls } from 'node:tls';

const TLS = resolve(import.meta.dirname, '../fixtures/tls');
const key = readFileSync(join(TLS, 'key.pem')), cert = readFileSync(join(TLS, 'cert.pem'));

export interface Taken { readonly from: string; readonly to: readonly string[]; readonly text: string; readonly encrypted: boolean; readonly user: string | undefined }
export interface MailServer {
  readonly port: number;
  readonly taken: Taken[];
  /** Everything that was said to it before TLS. */
  readonly plain: string[];
  readonly tries: () => number;
  takes: boolean;
  starttls: boolean;
  close(): Promise<void>;
}

export async function mailServer({ tls = false, user = 'ops', password = 'let-me-in-1234' }: { readonly tls?: boolean; readonly user?: string; readonly password?: string } = {}): Promise<MailServer> {
  const state = { taken: [] as Taken[], plain: [] as string[], takes: true, starttls: true };
  const open = new Set<Socket>();
  let tries = 0;
  const talk = (socket: Socket, encrypted: boolean, greet: boolean): void => {
    let text = '', body: string[] | undefined, signedIn: string | undefined, from = '', to: string[] = [], asked = false;
    const say = (line: string): void => { socket.write(`${line}\r\n`); };
    const judge = (given: string): void => {
      const [, name, secret] = Buffer.from(given, 'base64').toString().split('\u0000');
      asked = false;
      if (name === user && secret === password) { signedIn = name; say('235 2.7.0 welcome'); } else say(`535 5.7.8 wrong: ${given} (${secret})`);
    };
    const command = (line: string): void => {
      const upper = line.toUpperCase();
      if (asked) judge(line);
      else if (upper.startsWith('EHLO')) { say('250-mail.test'); if (!encrypted && state.starttls) say('250-STARTTLS'); say(encrypted ? '250 AUTH PLAIN' : '250 SIZE 100000'); } else if (upper === 'STARTTLS' && !state.starttls) say('502 5.5.1 not here'); else if (upper === 'STARTTLS') {
        say('220 go on');
        socket.removeAllListeners('data');
        const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ key, cert }) });
        secure.on('error', () => { secure.destroy(); });
        talk(secure, true, false);
      } else if (upper.startsWith('AUTH PLAIN')) { if (line.length > 11) judge(line.slice(11)); else { asked = true; say('334 '); } } else if (upper.startsWith('MAIL FROM')) { tries += 1; from = line; if (state.takes) say('250 ok'); else say('451 4.3.0 try again later'); } else if (upper.startsWith('RCPT TO')) { to = [...to, line]; say('250 ok'); } else if (upper === 'DATA') { body = []; say('354 go on'); } else if (upper === 'QUIT') { say('221 bye'); socket.end(); } else say('250 ok');
    };
    const read = (line: string): void => {
      if (!encrypted) state.plain.push(line);
      if (body === undefined) { command(line); return; }
      if (line !== '.') { body.push(line); return; }
      state.taken.push({ from, to, text: body.join('\n'), encrypted, user: signedIn });
      [body, to] = [undefined, []];
      say('250 taken');
    };
    socket.on('data', (piece: Buffer) => {
      text += piece.toString();
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) { const line = text.slice(0, end); text = text.slice(end + 2); read(line); }
    });
    if (greet) say('220 mail.test ESMTP');
  };
  const meet = (socket: Socket): void => { open.add(socket); socket.on('error', () => { socket.destroy(); }); socket.once('close', () => { open.delete(socket); }); talk(socket, tls, true); };
  const server = tls ? createTls({ key, cert }, meet) : createServer(meet);
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  return Object.assign(state, { port: (server.address() as AddressInfo).port, tries: () => tries, close: async () => { server.close(); for (const one of open) one.destroy(); } });
}

export const CA = cert.toString();
