// Owns `diag serve`: the agent and its page in this process until a signal.
import { configOf } from '../../agent/config.ts';
import { print, printJson } from '../print.ts';
import { untilStopped } from '../until.ts';

export async function serve(options: { port?: number; host?: string; home?: string; json?: boolean }): Promise<void> {
  const config = configOf({
    ...process.env,
    ...(options.port === undefined ? {} : { PORT: String(options.port) }),
    ...(options.host === undefined ? {} : { DIAG_LISTEN_HOST: options.host }),
    ...(options.home === undefined ? {} : { DIAG_HOME: options.home }),
  });
  const { packageRoot, run } = await import('../../server/run.ts');
  const running = await run(config, packageRoot(import.meta.url));
  try {
    const link = running.listening.link();
    if (options.json) printJson({ url: running.listening.url, ...(link ? { link } : {}), home: config.home });
    else {
      if (link) print(`open ${link}`);
      print(`listening ${running.listening.url}`);
    }
    await untilStopped();
  } finally {
    await running.stop();
  }
}
