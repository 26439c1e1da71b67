// Owns the flight recording of the Java process under study: what its threads run, wait for and allocate, by the JVM's own recorder for a bounded time.
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { DiagError } from '../../shared/errors.ts';
import { bytes, duration } from '../../shared/units.ts';
import { askJvm, jdkOffer } from '../../platform/jdk.ts';
import type { Collecting, Diagnoser } from '../contracts.ts';
import { meant, theTarget, withTarget } from '../target.ts';
import type { ProcessInfo } from '../../shared/model.ts';

const SECONDS = 20;
const MAX_SECONDS = 300;
const MAX_MIB = 64;
/** Should nobody end it, the JVM does so by itself. */
const ENDS_LATER_S = 60;
const END_LIMIT_MS = 30_000;
/** Since JDK 17 single events can be named; both hold settings in clear. */
const WITHOUT_SECRETS = ['jdk.InitialEnvironmentVariable#enabled=false', 'jdk.InitialSystemProperty#enabled=false'];

const Options = z.strictObject({ seconds: z.number().int().min(1).max(MAX_SECONDS).default(SECONDS).describe('How many seconds') });

export const javaFlightRecording: Diagnoser<z.infer<typeof Options>> = {
  id: 'java-flight-recording',
  title: 'Java flight recording',
  about: 'What the threads of a JVM run, wait for and allocate, by its own recorder; for JDK Mission Control, and read here as a profile.',
  options: Options,
  cost: 'slows-app',
  costNote: `Takes ${SECONDS} s unless said; the recorder is made to run always and costs about 2 % of the CPU.`,
  preselected: false,
  produces: ['cpu-profile'],
  offered: (target) => withTarget(target, target === undefined ? { yes: true } : jdkOffer(target)),
  async collect(run) {
    const target = meant(await run.platform.processes(run.cancel), theTarget(run));
    const draft = await run.artifacts.draft('cpu-profile', `recording-${target.pid}.jfr`, MAX_MIB * 1024 * 1024);
    const name = `diag-${run.platform.clock.now()}`;
    try {
      const hidden = await start(run, target, name);
      try {
        run.progress(`recording process ${target.pid} for ${duration(run.options.seconds * 1_000)}`);
        await untilEnough(run);
        await askJvm(target, ['JFR.dump', `name=${name}`, `filename=${draft.path}`], run.cancel);
      } finally {
        // Also when the session was given up: a recorder is not left running in somebody's app.
        await askJvm(target, ['JFR.stop', `name=${name}`], AbortSignal.timeout(END_LIMIT_MS)).catch((error: unknown) => { if (!(error instanceof DiagError)) throw error; });
      }
      const { size } = await stat(draft.path);
      await draft.commit({ note: `${bytes(size)} by the JVM's recorder; ${hidden ? 'without the environment and the system properties' : 'not masked: it holds the environment of the process in clear'}` });
      run.progress(bytes(size), 1);
    } finally {
      await draft.discard();
    }
  },
};

/** Whether the events that hold settings could be left out. @throws what asking the JVM throws, and PROGRAM_FAILED where it records nothing */
async function start(run: Collecting<z.infer<typeof Options>>, target: ProcessInfo, name: string): Promise<boolean> {
  const words = ['JFR.start', `name=${name}`, 'settings=profile', `maxsize=${MAX_MIB}m`, `duration=${run.options.seconds + ENDS_LATER_S}s`];
  const asked = async (more: readonly string[]): Promise<string> => askJvm(target, [...words, ...more], run.cancel);
  let hidden = true;
  let said = await asked(WITHOUT_SECRETS).catch((error: unknown) => { if (error instanceof DiagError && error.code === 'PROGRAM_FAILED') return ''; throw error; });
  if (!/Started recording/.test(said)) { hidden = false; said = await asked([]); }
  if (!/Started recording/.test(said)) throw new DiagError('PROGRAM_FAILED', { program: 'jcmd JFR.start', end: 'no recording', why: said.trim().split('\n')[0]?.slice(0, 200) ?? 'it said nothing' });
  return hidden;
}

/** The time that was asked for, or less when what is there is enough. @throws CANCELLED */
async function untilEnough(run: Collecting<z.infer<typeof Options>>): Promise<void> {
  const [waited] = await Promise.allSettled([run.platform.clock.wait(run.options.seconds * 1_000, AbortSignal.any([run.cancel, run.enough]))]);
  run.cancel.throwIfAborted();
  if (waited.status === 'rejected' && !run.enough.aborted) throw waited.reason;
}
