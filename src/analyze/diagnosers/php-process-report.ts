// Owns the report of PHP's processes: php-fpm's pools with what each process does and the slow log on Linux, the php-cgi processes on Windows.
import { open, stat } from 'node:fs/promises';
import { z } from 'zod';
import type { PhpStatusFile } from '../../shared/artifacts.ts';
import { DiagError } from '../../shared/errors.ts';
import type { ProcessInfo } from '../../shared/model.ts';
import { plural } from '../../shared/units.ts';
import type { Collecting, Diagnoser } from '../contracts.ts';
import { windowOf } from '../log-window.ts';
import { masked, newTally, readSpan } from '../masked-text.ts';
import type { PoolSettings } from '../parse/php-fpm-conf.ts';
import { askPool, fpmMaster, poolOfTitle, poolSettings } from '../php-pools.ts';
import { readAt, tailStart } from '../seek-time.ts';
import { maskJson, safeName, writeJson, writeText } from '../write.ts';

const MAX_POOLS = 20;
const MAX_SLOW_BYTES = 16 * 1024 * 1024;
const SLOW_HEAD = /^\[[^\]\n]{20,40}\]\s+\[pool /m;
const SNIFF_BYTES = 4_096;
const SLOW_REMEDY = 'its slow log is off: request_slowlog_timeout = 5s and slowlog = /home/LogFiles/php-slow.log in its configuration turn it on';

export const phpProcessReport: Diagnoser = {
  id: 'php-process-report',
  title: 'PHP process report',
  about: 'What each PHP process is doing: script and time of every php-fpm process and how many wait, with the slow log; on Windows the php-cgi processes.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['php-status', 'php-log'],
  offered(target, platform) {
    const php = target?.role === 'php' || /php/i.test(`${target?.name ?? ''} ${platform.host.app.runtime ?? ''}`);
    return php ? platform.can('processes') : { yes: false, because: 'the app does not run PHP' };
  },
  async collect(run) {
    const all = (await run.platform.processes(run.cancel)).filter((one) => one.ours !== true);
    const php = all.filter((one) => /^php/i.test(one.name));
    if (php.length === 0) throw new DiagError('NOTHING_TO_COLLECT', { why: 'no process of PHP is running or can be seen from here', remedy: 'Send a request to the app, so that PHP is started, and try again.' });
    const master = fpmMaster(all);
    const settings = master === undefined ? [] : (await poolSettings(master.conf)).slice(0, MAX_POOLS);
    const pools: PhpStatusFile['pools'] = [];
    for (const pool of settings) pools.push(await askPool(run, pool));
    const file: PhpStatusFile = { version: 1, at: run.platform.clock.now(), pools, processes: await processesOf(run, php) };
    const { value, count } = maskJson(file, run.mask);
    const slow = settings.filter((pool) => pool.slowAfter === undefined).map((pool) => `pool ${pool.name}: ${SLOW_REMEDY}`);
    await writeJson(run, 'php-status', 'php-status.json', value, { masked: count, ...(slow.length > 0 && { note: slow.join('; ').slice(0, 500) }) });
    for (const pool of settings) await slowLog(run, pool);
    run.progress([plural(php.length, 'PHP process', 'PHP processes'), ...pools.map(said)].join('; '), 1);
  },
};

function said(pool: PhpStatusFile['pools'][number]): string {
  if (pool.status === undefined) return `pool ${pool.name}: ${pool.why ?? 'not told'}`;
  return `pool ${pool.name}: ${pool.status.active} of ${pool.limit ?? pool.status.total} at work, ${plural(pool.status.queue, 'request')} waiting`;
}

async function processesOf(run: Collecting, php: readonly ProcessInfo[]): Promise<PhpStatusFile['processes']> {
  const usage = await run.platform.usage(php.map((one) => one.pid), run.cancel);
  return php.map((one) => {
    const { cpuMs, workingSetBytes } = usage.get(one.pid) ?? {};
    const pool = poolOfTitle(one);
    return { pid: one.pid, ...(one.parent === undefined ? {} : { parent: one.parent }), startedAt: one.startedAt, name: one.name, ...(pool === undefined ? {} : { pool }), ...(cpuMs === undefined ? {} : { cpuMs }), ...(workingSetBytes === undefined ? {} : { workingSetBytes }) };
  });
}

/** Where php-fpm itself says that it writes it; a log that nothing was written to yet is not there. */
async function slowLog(run: Collecting, pool: PoolSettings): Promise<void> {
  const { slowLog: path } = pool;
  if (pool.slowAfter === undefined || path === undefined || !path.startsWith('/')) return;
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined || !facts.isFile() || facts.size === 0 || facts.mtimeMs < run.window.from) return;
  // The path is the site's own word: only a slow log is taken from there.
  if (!SLOW_HEAD.test(await headOf(path))) return;
  const span = await windowOf(path, facts.size, run.window.from, run.cancel);
  const start = facts.size - span.start > MAX_SLOW_BYTES ? await tailStart(path, facts.size, MAX_SLOW_BYTES) : span.start;
  const tally = newTally();
  await writeText(run, { kind: 'php-log', name: safeName(`php-slow-${pool.name}.log`), needBytes: facts.size - start }, masked(readSpan(path, start, facts.size, run.cancel), (text) => run.mask.text(text), tally), tally);
}

async function headOf(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    return (await readAt(file, 0, SNIFF_BYTES)).toString('latin1');
  } finally {
    await file.close();
  }
}
