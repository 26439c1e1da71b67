// Owns the agent's configuration: the one reader of the environment, every setting with its default and its bound.
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { DiagError } from '../shared/errors.ts';

export { VERSION } from './version.ts';

export type Env = Readonly<Record<string, string | undefined>>;

export interface Config {
  readonly env: Env;
  readonly home: string;
  /** A TCP port, or a named pipe or Unix socket as IIS gives it; passed to listen() as it is. */
  readonly listen: { readonly port: number; readonly host: string } | { readonly path: string };
  readonly base: string;
  /** platform: the SCM site authenticates in front of us. token: we stand alone and want our own. */
  readonly auth: 'platform' | 'token';
  readonly token: string | undefined;
  /** Further host names under which a browser may reach us; loopback names are always allowed. */
  readonly hosts: readonly string[];
  /** Kudu's API is answered too. */
  readonly kuduApi: boolean;
  readonly endWithStdin: boolean;
  readonly processes: 'site' | 'all' | { readonly pids: readonly number[] };
  /** Probes and alerts may go to this very machine: for local use. */
  readonly allowLoopback: boolean;
  /** Where the site is probed (default: https and the public name that the platform tells). */
  readonly siteUrl: string | undefined;
  /** Whether shells can be opened from the page. */
  readonly shell: boolean;
  /** A shell at its prompt that nobody has used for this long is ended. */
  readonly shellIdleMs: number;
  /** Started by the platform as a continuous WebJob, beside the page's process. */
  readonly webJob: boolean;
  /** Further folders below which files can be reached, besides the home and the app. */
  readonly fileRoots: readonly { readonly name: string; readonly title: string; readonly path: string }[];
  /** Made by the platform when the WebJob is to end. */
  readonly shutdownFile: string | undefined;
}

const Settings = z.object({
  PORT: z.string().min(1).max(300).default('8081'),
  DIAG_BASE: z.string().regex(/^\/[\w/-]*[\w-]$/, 'a path such as /diag').default('/diag'),
  DIAG_TOKEN: z.string().max(200).optional(),
  DIAG_AUTH: z.enum(['platform', 'token']).optional(),
  DIAG_LISTEN_HOST: z.string().max(200).default('127.0.0.1'),
  DIAG_HOSTS: z.string().max(2000).default(''),
  DIAG_HOME: z.string().min(1).max(1000).optional(),
  DIAG_PROCESSES: z.string().regex(/^(site|all|\d+(,\d+)*)$/, 'site, all, or pids').default('site'),
  DIAG_ALLOW_LOOPBACK: z.enum(['0', '1']).default('0'),
  DIAG_SITE_URL: z.string().regex(/^https?:\/\/[^/@\s]+$/, 'such as https://shop.example, without a path').max(300).optional(),
  DIAG_KUDU_API: z.enum(['on', 'off']).default('on'),
  DIAG_SHELL: z.enum(['on', 'off']).default('on'),
  DIAG_SHELL_IDLE_MINUTES: z.coerce.number().int().min(1).max(1_440).default(60),
  DIAG_FILE_ROOTS: z.string().max(4_000).default(''),
  DIAG_END_WITH_STDIN: z.enum(['0', '1']).default('0'),
});

/** @throws DiagError BAD_INPUT naming the variable */
export function configOf(env: Env): Config {
  const known = Object.fromEntries(Object.keys(Settings.shape).map((k) => [k, env[k] === '' ? undefined : env[k]]));
  const parsed = Settings.safeParse(known);
  if (!parsed.success) throw new DiagError('BAD_INPUT', { why: parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ') });
  const s = parsed.data;
  return {
    env,
    home: homeOf(env, s.DIAG_HOME),
    listen: /^\d+$/.test(s.PORT) ? { port: portOf(s.PORT), host: s.DIAG_LISTEN_HOST } : { path: s.PORT },
    base: s.DIAG_BASE,
    auth: s.DIAG_AUTH ?? (behindScm(env) ? 'platform' : 'token'),
    token: s.DIAG_TOKEN,
    hosts: s.DIAG_HOSTS.split(',').map((h) => h.trim().toLowerCase()).filter(Boolean),
    kuduApi: s.DIAG_KUDU_API === 'on',
    endWithStdin: s.DIAG_END_WITH_STDIN === '1',
    processes: processesOf(s.DIAG_PROCESSES),
    allowLoopback: s.DIAG_ALLOW_LOOPBACK === '1',
    siteUrl: s.DIAG_SITE_URL,
    shell: s.DIAG_SHELL === 'on',
    shellIdleMs: s.DIAG_SHELL_IDLE_MINUTES * 60_000,
    webJob: (env['WEBJOBS_NAME'] ?? '') !== '',
    fileRoots: fileRootsOf(s.DIAG_FILE_ROOTS),
    shutdownFile: env['WEBJOBS_SHUTDOWN_FILE'] || undefined,
  };
}

/** iisnode below the SCM site: the platform asked for the user's credentials before the request reached us. */
function behindScm(env: Env): boolean {
  return env['IISNODE_VERSION'] !== undefined && (env['WEBSITE_IIS_SITE_NAME'] ?? '').startsWith('~1');
}

/** On App Service the platform's HOME; elsewhere never the user's own home, but a folder laid out like App Service's. */
function homeOf(env: Env, wanted: string | undefined): string {
  if (wanted) return resolve(wanted);
  if (env['WEBSITE_SITE_NAME'] && env['HOME']) return resolve(env['HOME']);
  return join(homedir(), '.diag-home');
}

function portOf(text: string): number {
  const port = Number(text);
  if (port > 65_535) throw new DiagError('BAD_INPUT', { why: `PORT: ${text} is above 65535` });
  return port;
}

/** "name=/folder;other=D:\\folder" */
function fileRootsOf(text: string): Config['fileRoots'] {
  return text.split(';').filter((one) => one.trim() !== '').map((one) => {
    const [, name, path = ''] = /^\s*([a-z0-9][a-z0-9-]{0,30})\s*=\s*(\S.*)$/.exec(one.trimEnd()) ?? [];
    if (name === undefined || !isAbsolute(path) || name === 'home' || name === 'app') throw new DiagError('BAD_INPUT', { why: `DIAG_FILE_ROOTS: ${one} is not name=absolute folder, or its name is taken` });
    return { name, title: name, path: resolve(path) };
  });
}

function processesOf(text: string): Config['processes'] {
  if (text === 'site' || text === 'all') return text;
  return { pids: text.split(',').map(Number) };
}
