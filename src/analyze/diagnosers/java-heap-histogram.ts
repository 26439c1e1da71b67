// Owns the histogram of a Java heap, taken by the process's own JDK: objects and bytes by class.
import { z } from 'zod';
import { bytes } from '../../shared/units.ts';
import { jdkOffer } from '../../platform/jdk.ts';
import type { Diagnoser } from '../contracts.ts';
import { writeJvmWords } from '../java-words.ts';
import { parseHistogram } from '../parse/java-histogram.ts';
import { theTarget, withTarget } from '../target.ts';

export const javaHeapHistogram: Diagnoser<{ live?: boolean | undefined }> = {
  id: 'java-heap-histogram',
  title: 'Java heap by class',
  about: 'How many objects of which class fill the Java heap: what a heap that runs full is full of.',
  options: z.strictObject({ live: z.boolean().optional().describe('Collect garbage first and count only what is still held; stops the app longer') }),
  cost: 'pauses-app',
  costNote: 'The JVM stands still while it walks its heap: about 1 s per GiB, with `live` a full collection more.',
  preselected: false,
  produces: ['heap-histogram'],
  offered: (target) => withTarget(target, target === undefined ? { yes: true } : jdkOffer(target)),
  async collect(run) {
    const { pid } = theTarget(run);
    const text = await writeJvmWords(run, run.options.live === true ? ['GC.class_histogram'] : ['GC.class_histogram', '-all'], { kind: 'heap-histogram', name: `heap-histogram-${pid}.txt` });
    const { classes, totalBytes } = parseHistogram(text);
    const [top] = classes;
    run.progress(`${bytes(totalBytes)}${top === undefined ? '' : `, most of ${top.name}: ${bytes(top.bytes)}`}`, 1);
  },
};
