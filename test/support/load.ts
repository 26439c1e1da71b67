// Owns steady load on a site: so many askers, each asking again as soon as it was answered, and what went wrong for any of them.
import { Agent, get } from 'node:http';

export interface Load {
  readonly served: number;
  /** Everything that was no 200: a status, or how the connection failed. */
  readonly failed: readonly string[];
  /** Which processes answered. */
  readonly pids: ReadonlySet<string>;
  /** Resolves when nobody asks any more; nothing is cut off. */
  stop(): Promise<void>;
}

export function loadOn(url: string, askers: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: askers });
  const failed: string[] = [], pids = new Set<string>();
  let served = 0, over = false;
  const ask = (): Promise<void> => new Promise((done) => {
    get(url, { agent }, (answer) => {
      answer.resume();
      answer.once('error', (error) => { failed.push(String(error)); done(); });
      answer.once('end', () => {
        if (answer.statusCode === 200) { served += 1; pids.add(String(answer.headers['x-pid'])); } else failed.push(String(answer.statusCode));
        done();
      });
    }).once('error', (error) => { failed.push(String(error)); done(); });
  });
  const running = Array.from({ length: askers }, async () => { while (!over) await ask(); });
  return { get served() { return served; }, failed, pids, async stop() { over = true; await Promise.all(running); agent.destroy(); } };
}
