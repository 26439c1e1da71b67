// Owns reaching an agent: the one at --url, the one that runs for the home, or one raised here on a loopback port.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DiagError } from '../shared/errors.ts';
import { connect, type Diag, type Fetch } from '../shared/connect.ts';
import { configOf } from '../agent/config.ts';
import { ADDRESS_FILE, TOKEN_FILE } from '../agent/token.ts';
import { within } from '../platform/clock.ts';
import type { Remote } from './options.ts';
import { stop } from './until.ts';
import { addressOf, unreachable } from './address.ts';

export interface Reached {
  readonly diag: Diag;
  readonly url: string;
  readonly headers: Record<string, string>;
  /** Where it answers now: the agent of a home may have come back on another port. Never raises one. */
  again(): Promise<Reached>;
  /** It was raised for this command, so it has only begun to look. */
  readonly isFresh?: true;
  /** Ends the agent that was raised here; nothing otherwise. */
  leave(): Promise<void>;
}

const Address = z.object({ url: z.string(), pid: z.number().int().positive() });
/** An agent on this machine that needs longer to say that it is alive hangs. */
const ALIVE_MS = 10_000;

/** @throws DiagError UNREACHABLE, BAD_INPUT, HOME_UNUSABLE */
async function reach(options: Remote): Promise<Reached> {
  if (options.url !== undefined) return at(options.url, tokenOf(options) ?? (options.home === undefined ? undefined : await tokenIn(ownFolder(options))));
  const running = await ofHome(options);
  if (running) return running;
  const { packageRoot, run } = await import('../server/run.ts');   // express and the whole agent: only where one is raised
  const raised = await run(configFor(options), packageRoot(import.meta.url));
  return { ...at(raised.listening.url, raised.agent.token), isFresh: true, leave: () => raised.stop() };
}

function configFor(options: Remote): ReturnType<typeof configOf> {
  const config = configOf({ ...process.env, ...(options.home === undefined ? {} : { DIAG_HOME: options.home }), PORT: '0', DIAG_LISTEN_HOST: '127.0.0.1', DIAG_AUTH: 'token' });
  // A name that was typed wrong must not become a new home.
  const named = options.home ?? process.env['DIAG_HOME'];
  if (named && !existsSync(config.home)) throw new DiagError('HOME_UNUSABLE', { home: config.home, why: 'there is no such folder' });
  return config;
}

const ownFolder = (options: Remote): string => join(configFor(options).home, 'data', 'DaaS', 'diag');
const tokenOf = (options: Remote): string | undefined => options.token ?? (process.env['DIAG_TOKEN'] || undefined);
const tokenIn = async (own: string): Promise<string | undefined> => (await readText(join(own, TOKEN_FILE)))?.trim();

/** The agent that runs for the home; undefined when none does. @throws UNREACHABLE when one runs but cannot be talked to */
async function ofHome(options: Remote): Promise<Reached | undefined> {
  const own = ownFolder(options);
  const known = Address.safeParse(jsonOf(await readText(join(own, ADDRESS_FILE)) ?? ''));
  if (!known.success) return undefined;
  const { url, pid } = known.data;
  if (!/^https?:/.test(url)) {
    if (!lives(pid)) return undefined;
    throw new DiagError('UNREACHABLE', { url, why: 'it listens on a pipe of the platform; name its web address with --url' });
  }
  if (!await answers(url)) return undefined;
  const reached: Reached = {
    ...at(url, tokenOf(options) ?? await tokenIn(own)),
    // Not there yet: the next time it is looked for again, not only at the old address.
    again: async () => await ofHome(options).catch((error: unknown) => { if (error instanceof DiagError) return undefined; throw error; }) ?? reached,
  };
  return reached;
}

function at(given: string, token: string | undefined): Reached {
  const { url, authorization } = addressOf(given);
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : authorization ? { authorization } : {};
  const reached: Reached = { diag: connect(url, requests(url), headers), url, headers, again: async () => reached, leave: async () => undefined };
  return reached;
}

/** fetch that ends with the command unless a call has a signal of its own, and says in our words why nobody answered. */
function requests(url: string): Fetch {
  return async (input, { signal, ...init }) => {
    let answer: Response;
    try {
      // Not followed: our credentials are for this address only.
      answer = await fetch(input, { ...init, redirect: 'manual', signal: (signal as AbortSignal | undefined) ?? stop });
    } catch (error) {
      throw unreachable(url, error);
    }
    const type = answer.headers.get('content-type') ?? '';
    if (answer.status >= 300 && answer.status < 400) throw new DiagError('UNREACHABLE', { url, why: `it sends us to ${answer.headers.get('location') ?? 'nowhere'}` });
    if (answer.status === 401 && !type.includes('json')) throw new DiagError('UNREACHABLE', { url, why: 'it wants to know who we are (401); for an SCM site use https://user:password@… with its deployment credentials, or --token with an access token' });
    if (answer.ok && !type.includes('json')) throw new DiagError('UNREACHABLE', { url, why: `it answers with ${type || 'nothing'} instead of JSON; it may not be an agent, or its base path is missing (…/diag)` });
    return answer;
  };
}

/** A file that an agent left when it was killed names an address where nobody answers, or another program by now. Asked without our token. */
async function answers(url: string): Promise<boolean> {
  const { diag } = at(url, undefined);
  try {
    const { name } = await diag.alive({ signal: within(ALIVE_MS, stop) });
    return (name as string) === 'diag';
  } catch (error) {
    if (stop.aborted) throw error;
    if (error instanceof Error && error.name === 'TimeoutError') throw new DiagError('UNREACHABLE', { url, why: `it was silent for ${ALIVE_MS / 1_000} s` }, { cause: error });
    return false;
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
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
    stop.throwIfAborted();
    await work(reached);
  } finally {
    await reached.leave();
  }
}
