// Owns the thread dump of a Java process, taken by its own JDK: what every thread does and which locks it holds.
import { z } from 'zod';
import { plural } from '../../shared/units.ts';
import { jdkOffer } from '../../platform/jdk.ts';
import type { Diagnoser } from '../contracts.ts';
import { writeJvmWords } from '../java-words.ts';
import { theTarget, withTarget } from '../target.ts';

export const javaThreadDump: Diagnoser = {
  id: 'java-thread-dump',
  title: 'Java thread dump',
  about: 'What each thread of the JVM does and which locks it holds and waits for: deadlocks, full pools, calls that do not come back.',
  options: z.strictObject({}),
  cost: 'slows-app',
  costNote: 'The JVM stands still for some milliseconds while it writes its threads down.',
  preselected: true,
  produces: ['thread-dump'],
  offered: (target) => withTarget(target, target === undefined ? { yes: true } : jdkOffer(target)),
  async collect(run) {
    const { pid } = theTarget(run);
    const text = await writeJvmWords(run, ['Thread.print', '-l'], { kind: 'thread-dump', name: `threads-${pid}.txt` });
    const deadlocks = /Found (one|\d+) Java-level deadlock/.exec(text)?.[1];
    run.progress(`${plural(text.match(/^"/gm)?.length ?? 0, 'thread')}${deadlocks === undefined ? '' : ', a deadlock among them'}`, 1);
  },
};
