// Owns a run of a fault whose logs are handed over as files: programs are started, asked and ended, and the folder of their logs is judged as anyone's.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMaterial } from '../../../src/analyze/open-bundle.ts';
import { givenOf } from '../../../src/analyze/readers.ts';
import { diagnosisOf } from '../../../src/analyze/analyzers/causes.ts';
import { never } from '../../analyze/artifacts.ts';
import type { FilesBench, FilesFault, Spawned } from './fault.ts';
import type { Ran } from './local-bench.ts';
import { recordingOf } from './recording.ts';
import { get, load } from './traffic.ts';

const KILL_AFTER_MS = 3_000;

export async function runFiles(fault: FilesFault): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'faults-'));
  const logs = join(folder, 'logs');
  await mkdir(logs);
  const started: { child: ChildProcess; ended: Promise<unknown>; out: string | undefined; text: () => string }[] = [];
  const bench: FilesBench = {
    folder, logs,
    get: (url, asked) => get(new URL(url), asked),
    load: (url, plan) => load(url, plan),
    spawn(program, args, { env, out, cwd } = {}): Spawned {
      const child = spawn(program, [...args], { cwd: cwd ?? folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      let text = '';
      for (const pipe of [child.stdout, child.stderr]) pipe.setEncoding('utf8').on('data', (piece: string) => { text += piece; });
      const ended = new Promise<number | string | null>((done) => { child.on('close', (code, signal) => done(signal ?? code)).on('error', (error) => done(error.message)); });
      started.push({ child, ended, out, text: () => text });
      return { pid: child.pid ?? 0, ended, output: () => text };
    },
  };
  try {
    try {
      await fault.run(bench);
    } finally {
      for (const one of started.reverse()) await end(one.child, one.ended);
    }
    for (const { out, text } of started) if (out !== undefined && text() !== '') await writeFile(join(logs, out), text());
    return await judged(fault, folder, logs);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function judged(fault: FilesFault, folder: string, logs: string): Promise<Ran> {
  const clicked = performance.now();
  const opened = await openMaterial([logs], { temp: join(folder, 'opened'), signal: never });
  try {
    await diagnosisOf(givenOf(opened.placed), opened.window, never);
    return { tookMs: performance.now() - clicked, recording: await recordingOf(fault.name, opened.window, opened.placed) };
  } finally {
    await opened.close();
  }
}

/** The group, so that workers of nginx and php-fpm go too. */
async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const say = (signal: NodeJS.Signals): void => {
    try { process.kill(-pid, signal); } catch (error) { if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; }
  };
  say('SIGTERM');
  const force = setTimeout(() => say('SIGKILL'), KILL_AFTER_MS);
  await ended;
  clearTimeout(force);
}
