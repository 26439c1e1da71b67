// Owns the process list of a session: the site's processes with their newest samples.
import { z } from 'zod';
import type { ProcessListFile } from '../../shared/artifacts.ts';
import type { ProcessInfo, Sample } from '../../shared/model.ts';
import { plural } from '../../shared/units.ts';
import type { Collecting, Diagnoser } from '../contracts.ts';
import { writeJson } from '../write.ts';

export const processList: Diagnoser = {
  id: 'process-list',
  title: 'Process list',
  about: 'The site\'s processes as a tree, with CPU, memory, threads and handles of each.',
  options: z.strictObject({}),
  cost: 'free',
  preselected: true,
  produces: ['process-list'],
  offered: (_target, platform) => platform.can('processes'),
  async collect(run) {
    const infos = await run.platform.processes(run.cancel);
    let count = 0;
    const processes = infos.map((info) => {
      const shown = maskInfo(run, info);
      count += shown.count;
      const sample = newest(run, info);
      return { info: shown.info, ...(sample && { sample }) };
    });
    const file: ProcessListFile = { version: 1, at: run.platform.clock.now(), processes };
    await writeJson(run, 'process-list', 'processes.json', file, { masked: count });
    run.progress(plural(processes.length, 'process', 'processes'), 1);
  },
};

function newest(run: Collecting, info: ProcessInfo): Sample | undefined {
  for (const sample of run.observed.latest().values()) {
    if (sample.process?.pid === info.pid && sample.process.startedAt === info.startedAt) return sample;
  }
  return undefined;
}

function maskInfo(run: Collecting, info: ProcessInfo): { info: ProcessInfo; count: number } {
  if (info.commandLine === undefined) return { info, count: 0 };
  const { text, count } = run.mask.text(info.commandLine);
  return { info: { ...info, commandLine: text }, count };
}
