// Owns a running agent with its server: assembled, listening, known to local programs by a small file, and ended in order.
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeIn, writeAtomic } from '../store/atomic.ts';
import { startAgent, type Agent } from '../agent/agent.ts';
import type { Config } from '../agent/config.ts';
import { ADDRESS_FILE } from '../agent/token.ts';
import { listen, type Listening } from './listen.ts';

export interface Running { readonly agent: Agent; readonly listening: Listening; stop(): Promise<void> }

/** The folder that holds public/ and dist/, above the running file: the same from source and from the bundle. */
export function packageRoot(fileUrl: string): string {
  let folder = dirname(fileURLToPath(fileUrl));
  for (let level = 0; level < 4; level += 1, folder = dirname(folder)) {
    if (existsSync(join(folder, 'public', 'index.html'))) return folder;
  }
  throw new Error('public/index.html is missing beside the program: the package is incomplete');
}

export async function run(config: Config, root: string): Promise<Running> {
  const worker = join(root, 'dist', 'analyze-worker.js');
  const publicDir = join(root, 'public');
  const agent = await startAgent(config, { ...(existsSync(worker) ? { analyzeWorker: worker } : {}), reportCss: join(publicDir, 'report.css') });
  try {
    const listening = await listen(agent, publicDir);
    const address = await tell(agent, listening.url);
    return {
      agent, listening,
      async stop() {
        await address.forget();
        await listening.close();
        await agent.stop();
      },
    };
  } catch (error) {
    await agent.stop();
    throw error;
  }
}

/** Whether another agent of this home (the WebJob beside the page's process) has told a web address already: a program here reaches that one, and not IIS's pipe. */
async function isTold(file: string): Promise<boolean> {
  try {
    const { url, pid } = JSON.parse(await readFile(file, 'utf8')) as { url: string; pid: number };
    process.kill(pid, 0);                                      // signal 0 only asks whether it is there
    return /^https?:/.test(url) && pid !== process.pid;
  } catch {
    return false;                                              // no word, none of ours, or one of an agent that has ended
  }
}

/** Writes where we answer. Programs that cannot find us by it still have the printed address: it must not keep us from the start, nor from the end. */
async function tell({ platform, log }: Agent, url: string): Promise<{ forget(): Promise<void> }> {
  const file = join(platform.host.folders.own, ADDRESS_FILE);
  const content = JSON.stringify({ url, pid: process.pid, startedAt: platform.ownUsage().startedAt });
  if (/^https?:/.test(url) === false && await isTold(file)) return { forget: async () => undefined };
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (codeIn(error) !== 'ENOENT') log.warn(what, { file }, error);
    }
  };
  await attempt('the address could not be written down', () => writeAtomic(file, content));
  // Another agent of this home may have come after us: its word stays.
  return { forget: () => attempt('the address could not be removed', async () => { if (await readFile(file, 'utf8') === content) await rm(file, { force: true }); }) };
}
