// Owns the process: reads the environment, raises agent and server, says where it listens, and ends both on a signal.
import { COLLECT_EVERY_MS, collectGarbage } from './lean.ts';
import { existsSync } from 'node:fs';
import { DiagError, sayError } from './shared/errors.ts';
import { configOf, type Config } from './agent/config.ts';
import { packageRoot, run, type Running } from './server/run.ts';

/** An end that hangs (a share that does not answer) must not keep the process: the platform would kill it anyway. */
const END_LIMIT_MS = 8_000;
const SHUTDOWN_LOOK_MS = 1_000;

async function main(): Promise<void> {
  process.stdout.on('error', unread);
  const config = configOf(process.env);
  const running = await run(config, packageRoot(import.meta.url));
  process.on('uncaughtException', (error) => { endUnforeseen(running, error); });
  const link = running.listening.link();
  if (link) process.stdout.write(`open ${link}\n`);
  process.stdout.write(`listening ${running.listening.url}\n`);
  endOnSignal(running, config);
  for await (const _ of running.agent.platform.clock.every(COLLECT_EVERY_MS, new AbortController().signal)) {
    void _;
    collectGarbage();
  }
}

/** Whoever started us reads no more; the page and the API still answer. */
function unread(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** A fault that nobody caught (Node brings rejections here too): the state is not to be trusted any more. On a platform that keeps no stderr the log is where it can be read. */
function endUnforeseen({ agent }: Running, error: unknown): void {
  process.stderr.write(`diag ended by a fault of its own: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
  agent.log.error('ended by a fault of its own', {}, error);
  AbortSignal.timeout(END_LIMIT_MS).addEventListener('abort', () => process.exit(1));
  void agent.log.flush().finally(() => process.exit(1));
}

function endOnSignal(running: Running, { endWithStdin, shutdownFile }: Config): void {
  let ending = false;
  const end = (): void => {
    if (ending) process.exit(1);
    ending = true;
    AbortSignal.timeout(END_LIMIT_MS).addEventListener('abort', () => process.exit(1));
    running.stop().then(() => process.exit(0), (error: unknown) => { endUnforeseen(running, error); });
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  if (shutdownFile !== undefined) void endOnFile(running, shutdownFile, end);
  if (!endWithStdin) return;
  process.stdin.resume();
  process.stdin.on('end', end);
  process.stdin.on('error', end);
}

/** Kudu stops a WebJob by making a file, and kills it some seconds later. */
async function endOnFile({ agent }: Running, file: string, end: () => void): Promise<void> {
  for await (const _ of agent.platform.clock.every(SHUTDOWN_LOOK_MS, new AbortController().signal)) {
    void _;
    if (existsSync(file)) { end(); return; }
  }
}

main().catch((error: unknown) => {
  const next = error instanceof DiagError ? error.next : undefined;
  process.stderr.write(`diag could not start: ${sayError(error)}${next ? ` ${next}` : ''}\n`);
  process.exit(3);
});
