// Owns `diag serve`: the agent and its page in this process until a signal.
import { configOf } from '../../agent/config.ts';
import { packageRoot, run } from '../../server/run.ts';
import { print, printJson } from '../print.ts';
import { untilSignal } from '../until.ts';

export async function serve(options: { port?: number; host?: string; home?: string; json?: boolean }): Promise<void> {
  const config = configOf({
    ...process.env,
    ...(options.port === undefined ? {} : { PORT: String(options.port) }),
    ...(options.host === undefined ? {} : { DIAG_LISTEN_HOST: options.host }),
    ...(options.home === undefined ? {} : { DIAG_HOME: options.home }),
  });
  const running = await run(config, packageRoot(import.meta.url));
  const link = running.listening.link();
  if (options.json) printJson({ url: running.listening.url, ...(link ? { link } : {}), home: config.home });
  else {
    if (link) print(`open ${link}`);
    print(`listening ${running.listening.url}`);
  }
  await untilSignal();
  await running.stop();
}
