// Owns what a test that runs on Windows asks of the Linux side: victims that are nobody's child in the sense of the agent.
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export type Wish =
  | { readonly n: number; readonly start: { readonly env: Readonly<Record<string, string>>; readonly nodeOptions: readonly string[]; readonly program?: string } }
  | { readonly n: number; readonly pid: number; readonly do: string; readonly how: Readonly<Record<string, unknown>> }
  | { readonly n: number; readonly pid: number; readonly type: string }
  | { readonly n: number; readonly kill: number };
export type Reply = { readonly n: number; readonly answer: Readonly<Record<string, unknown>> } | { readonly n: number; readonly failed: string };

export interface WindowsVictim {
  readonly pid: number;
  do(what: string, how?: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  /** To another program: a line on its stdin. */
  type(line: string): Promise<void>;
  kill(): Promise<void>;
}

export interface Steer {
  /** test/apps/victim.mjs, or another program that waits on its stdin. */
  victim(options?: { readonly env?: Readonly<Record<string, string>>; readonly nodeOptions?: readonly string[]; readonly program?: string }): Promise<WindowsVictim>;
  close(): void;
}

type Waiting = { resolve(answer: Readonly<Record<string, unknown>>): void; reject(error: Error): void };
type Unnumbered<T> = T extends unknown ? Omit<T, 'n'> : never;

export async function openSteer(): Promise<Steer> {
  const line = createConnection({ host: '127.0.0.1', port: Number(process.env['STEER_PORT']) });
  await new Promise<void>((done, failed) => { line.once('connect', done); line.once('error', failed); });
  const waiting = new Map<number, Waiting>();
  createInterface({ input: line }).on('line', (text) => { hear(JSON.parse(text) as Reply, waiting); });
  line.on('close', () => { for (const one of waiting.values()) one.reject(new Error('the Linux side hung up')); });
  const ask = asking(line, waiting);
  return {
    victim: async ({ env = {}, nodeOptions = [], program } = {}) => {
      const { pid } = await ask({ start: { env, nodeOptions, ...(program === undefined ? {} : { program }) } }) as { pid: number };
      return { pid, do: (what, how = {}) => ask({ pid, do: what, how }), type: async (line) => { await ask({ pid, type: `${line}\r\n` }); }, kill: async () => { await ask({ kill: pid }); } };
    },
    close: () => { line.destroy(); },
  };
}

function hear(reply: Reply, waiting: Map<number, Waiting>): void {
  const one = waiting.get(reply.n);
  waiting.delete(reply.n);
  if ('answer' in reply) one?.resolve(reply.answer); else one?.reject(new Error(reply.failed));
}

function asking(line: Socket, waiting: Map<number, Waiting>): (wish: Unnumbered<Wish>) => Promise<Readonly<Record<string, unknown>>> {
  let n = 0;
  return (wish) => new Promise((resolve, reject) => {
    n += 1;
    waiting.set(n, { resolve, reject });
    line.write(`${JSON.stringify({ n, ...wish })}\n`);
  });
}
