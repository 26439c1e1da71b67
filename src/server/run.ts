// Owns a running agent with its server: assembled, listening, known to local programs by a small file, and ended in order.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeAtomic } from '../store/atomic.ts';
import { startAgent, type Agent } from '../agent/agent.ts';
import type { Config } from '../agent/config.ts';
import { listen, type Listening } from './listen.ts';

export interface Running { readonly agent: Agent; readonly listening: Listening; stop(): Promise<void> }

/** Where the agent of a home answers, for the CLI on the same machine; the token lies beside it, readable by the owner only. */
export const ADDRESS_FILE = 'agent.json';

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
    const file = join(agent.platform.host.folders.own, ADDRESS_FILE);
    await writeAtomic(file, JSON.stringify({ url: listening.url, pid: process.pid, startedAt: agent.platform.ownUsage().startedAt }));
    return {
      agent, listening,
      async stop() {
        await rm(file, { force: true });
        await listening.close();
        await agent.stop();
      },
    };
  } catch (error) {
    await agent.stop();
    throw error;
  }
}
