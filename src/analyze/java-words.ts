// Owns how the JDK's own answers become artifacts: the very process that was meant is asked, what it says is masked.
import { Readable } from 'node:stream';
import type { ArtifactKind } from '../shared/model.ts';
import { bytes } from '../shared/units.ts';
import { askJvm } from '../platform/jdk.ts';
import type { Collecting } from './contracts.ts';
import { masked, newTally } from './masked-text.ts';
import { meant, theTarget } from './target.ts';
import { writeText } from './write.ts';

export async function writeJvmWords(run: Collecting, words: readonly string[], to: { readonly kind: ArtifactKind; readonly name: string }): Promise<string> {
  const target = meant(await run.platform.processes(run.cancel), theTarget(run));
  run.progress(`asking process ${target.pid} by jcmd ${words[0] ?? ''}`);
  const text = await askJvm(target, words, AbortSignal.any([run.cancel, run.enough]));
  const raw = Buffer.from(text);
  const tally = newTally();
  await writeText(run, { ...to, needBytes: raw.length, note: () => `${bytes(raw.length)} by jcmd ${words.join(' ')}` }, masked(Readable.from([raw]) as AsyncIterable<Buffer>, (line) => run.mask.text(line), tally), tally);
  return text;
}
