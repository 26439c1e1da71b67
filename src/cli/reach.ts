// Owns reaching an agent: the one at --url, the one that runs for the home, or one raised here on a loopback port.
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { DiagError, sayError } from '../shared/errors.ts';
import { connect, type Diag } from '../shared/connect.ts';
import { configOf } from '../agent/config.ts';
import { TOKEN_FILE } from '../agent/token.ts';
import { ADDRESS_FILE, packageRoot, run } from '../server/run.ts';
import type { Remote } from './options.ts';

export interface Reached {
  readonly diag: Diag;
  readonly url: string;
  readonly headers: Record<string, string>;
  /** Ends the agent that was raised here; nothing otherwise. */
  leave(): Promise<void>;
}

const Address = z.object({ url: z.string(), pid: z.number().int().positive(), startedAt: z.number() });

/** @throws DiagError UNREACHABLE, BAD_INPUT */
export async function reach(options: Remote): Promise<Reached> {
  if (options.url) return at(options.url, options.token ?? process.env['DIAG_TOKEN']);
  const config = configOf({ ...process.env, ...(options.home ? { DIAG_HOME: options.home } : {}), PORT: '0', DIAG_LISTEN_HOST: '127.0.0.1', DIAG_AUTH: 'token' });
  const own = join(config.home, 'data', 'DaaS', 'diag');
  const running = await runningOf(own);
  if (running) {
    const token = options.token ?? process.env['DIAG_TOKEN'] ?? await readText(join(own, TOKEN_FILE));
    const reached = at(running, token?.trim());
    if (await answers(reached.diag)) return reached;
  }
  const raised = await run(config, packageRoot(import.meta.url));
  return { ...at(raised.listening.url, raised.agent.token), leave: () => raised.stop() };
}

function at(address: string, token: string | undefined): Reached {
  if (!URL.canParse(address)) throw new DiagError('BAD_INPUT', { why: `--url: ${address} is not an address` });
  const url = address.replace(/\/+$/, '');
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const reaching: typeof fetch = async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new DiagError('UNREACHABLE', { url, why: sayError(cause) }, { cause: error });
    }
  };
  return { diag: connect(url, reaching as Parameters<typeof connect>[1], headers), url, headers, leave: async () => undefined };
}

async function runningOf(own: string): Promise<string | undefined> {
  const text = await readText(join(own, ADDRESS_FILE));
  if (!text) return undefined;
  const parsed = Address.safeParse(jsonOf(text));
  return parsed.success && parsed.data.url.startsWith('http') ? parsed.data.url : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A file that an agent left when it was killed names an address where nobody answers. */
async function answers(diag: Diag): Promise<boolean> {
  try {
    await diag.alive();
    return true;
  } catch (error) {
    if (error instanceof DiagError && error.code === 'UNREACHABLE') return false;
    throw error;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(resolve(path), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES') return undefined;
    throw error;
  }
}

/** Runs the work against an agent and leaves it in every case. */
export async function withAgent(options: Remote, work: (reached: Reached) => Promise<void>): Promise<void> {
  const reached = await reach(options);
  try {
    await work(reached);
  } finally {
    await reached.leave();
  }
}
