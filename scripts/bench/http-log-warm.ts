// Owns one side of the bench of HTTP logs: a program that runs already, as the agent behind the page, reads all of a log and then one hour of it several times; tells the times. Arguments: FILE FROM TO TIMES.
import { performance } from 'node:perf_hooks';
import { readLogs } from '../../src/observe/http-log/offline/read-logs.ts';

async function main(): Promise<void> {
  const [, , file = '', from = '', to = '', times = '5'] = process.argv;
  const { signal } = new AbortController();
  const timed = async (window: { from?: number; to?: number }): Promise<number> => {
    const began = performance.now();
    JSON.stringify((await readLogs({ paths: [file], ...window, signal })).report);
    return performance.now() - began;
  };
  const allMs = await timed({});
  const hoursMs: number[] = [];
  for (let i = 0; i < Number(times); i += 1) hoursMs.push(await timed({ from: Number(from), to: Number(to) }));
  process.stdout.write(JSON.stringify({ allMs, hoursMs }));
  process.exit(0);
}

void main();
