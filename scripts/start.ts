// Owns `npm start`: flags in, the local App Service and the agent up, one ready line, and a clean end.
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, isFresh } from './local/fresh.ts';
import { type Launched, checkout, launch } from './local/launcher.ts';
import { type Limits, defaultLimits, flagOf, limitNames, readLimits } from './local/limits.ts';
import { anyFreePort, isFree } from './local/ports.ts';

const EXIT_USAGE = 2;
const EXIT_COULD_NOT_RUN = 3;
const EXIT_FORCED = 130;
/** npm passes a Ctrl+C on that the terminal has already sent: two within this time are one. */
const SAME_PRESS_MS = 500;

const USAGE = `npm start -- [flags]

  --port N          the site (8080, or a free port when that is busy)
  --scm-port N      the agent (8081, or a free port when that is busy)
  --app DIR         an app of your own: node server.js, or the start line of its package.json (a demo shop)
  --home DIR        the home folder, laid out as App Service's (.home)
  --no-traffic      without the gentle traffic
  --no-build        do not build, even when dist is older than the source
  --agent FILE      another program in the agent's place, for tests
  --help            this text

Limits, also as LOCAL_HANDLER_LIMIT_MS and so on:
${limitNames.map((name) => `  --${flagOf(name).padEnd(22)} ${defaultLimits[name]}`).join('\n')}
`;

class UsageError extends Error {}

interface Flags {
  readonly port: number;
  readonly scmPort: number;
  readonly app: string | undefined;
  readonly home: string;
  readonly traffic: boolean;
  readonly build: boolean;
  readonly agentFile: string;
  readonly limits: Limits;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function readFlags(words: readonly string[]): Promise<Flags | 'help'> {
  const text = { type: 'string' } as const;
  const yes = { type: 'boolean' } as const;
  const limitFlags = Object.fromEntries(limitNames.map((name) => [flagOf(name), text]));
  let values: Record<string, string | boolean | undefined>;
  try {
    const known = { port: text, 'scm-port': text, app: text, home: text, 'no-traffic': yes, 'no-build': yes, agent: text, help: yes, ...limitFlags };
    values = parseArgs({ args: [...words], options: known, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values['help'] === true) return 'help';
  const word = (name: string): string | undefined => (typeof values[name] === 'string' ? values[name] : undefined);
  const app = word('app');
  const agent = word('agent');
  if (app !== undefined && !(await stat(app).then((found) => found.isDirectory(), () => false))) throw new UsageError(`--app ${app} is not a folder`);
  const port = await portFlag('port', word('port'), 8080, 0);
  return {
    port,
    scmPort: await portFlag('scm-port', word('scm-port'), 8081, port),
    app: app === undefined ? undefined : resolve(app),
    home: resolve(word('home') ?? resolve(checkout, '.home')),
    traffic: values['no-traffic'] !== true,
    build: values['no-build'] !== true && agent === undefined,
    agentFile: agent === undefined ? resolve(checkout, 'dist', 'main.js') : resolve(agent),
    limits: limitsFrom(values),
  };
}

function limitsFrom(values: Readonly<Record<string, unknown>>): Limits {
  try {
    return readLimits(values, process.env);
  } catch (error) {
    throw new UsageError(error instanceof RangeError ? error.message : String(error));
  }
}

/** A port that was asked for must be free; a default, and 0, give way to any free one. */
async function portFlag(name: string, asked: string | undefined, usual: number, taken: number): Promise<number> {
  if (asked !== undefined && !(/^\d{1,5}$/.test(asked) && Number(asked) <= 65_535)) {
    throw new UsageError(`--${name} wants a port from 0 to 65535, not "${asked.slice(0, 40)}"`);
  }
  const wanted = asked === undefined ? usual : Number(asked);
  if (wanted !== 0 && wanted !== taken && (await isFree(wanted))) return wanted;
  const other = asked === undefined || wanted === 0 ? await anyFreePort() : undefined;
  if (other === undefined) throw new Error(`port ${wanted} is in use: give --${name} another one`);
  return other;
}

/** Signals of this run: the first ends it cleanly, a second one, pressed again, by force. */
function onSignals(end: () => void, force: () => void): void {
  let firstAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (firstAt === undefined) {
        firstAt = now;
        end();
      } else if (now - firstAt > SAME_PRESS_MS) {
        force();
      }
    });
  }
}

async function run(flags: Flags): Promise<number> {
  const stop = new AbortController();
  let code = 0;
  let launched: Launched | undefined;
  onSignals(
    () => stop.abort(new Error('ended by a signal')),
    () => void (launched?.kill() ?? Promise.resolve()).finally(() => process.exit(EXIT_FORCED)),
  );
  const ended = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }));
  try {
    if (flags.build && !(await isFresh(checkout))) {
      say('building …');
      await build(checkout, stop.signal);
    }
    launched = await launch({
      home: flags.home,
      ...(flags.app === undefined ? {} : { app: flags.app }),
      port: flags.port,
      limits: flags.limits,
      traffic: flags.traffic,
      agent: { file: flags.agentFile, port: flags.scmPort, ...(process.env['DIAG_TOKEN'] === undefined ? {} : { token: process.env['DIAG_TOKEN'] }) },
      say,
      onOpen: (link) => say(`open ${link}`),
      onGivenUp(why) {
        say(why);
        code = EXIT_COULD_NOT_RUN;
        stop.abort(new Error(why));
      },
      signal: stop.signal,
    });
  } catch (error) {
    if (stop.signal.aborted) return code;
    throw error;
  }
  process.on('SIGUSR2', () => launched?.startWorker());
  say(`ready site=${launched.siteUrl} diag=${launched.diagUrl ?? ''}`);
  await ended;
  await launched.stop();
  return code;
}

async function main(): Promise<number> {
  try {
    const flags = await readFlags(process.argv.slice(2));
    if (flags === 'help') {
      process.stdout.write(USAGE);
      return 0;
    }
    return await run(flags);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (!(error instanceof UsageError)) return EXIT_COULD_NOT_RUN;
    process.stderr.write(`\n${USAGE}`);
    return EXIT_USAGE;
  }
}

process.exit(await main());
