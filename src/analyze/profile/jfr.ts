// Owns Java Flight Recorder files: the JDK's own tool prints their samples, these become a call tree; without the tool it is said.
import { DiagError } from '../../shared/errors.ts';
import { run } from '../../platform/run.ts';
import { TreeBuilder, type ProfileTree } from './tree.ts';
import { unreadableProfile } from './unreadable.ts';

const LIMIT_MS = 120_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
/** What JFR takes as default between two samples of a thread. */
const SAMPLE_US = 20_000;
const STACK_DEPTH = 64;

export async function readJfr(path: string, signal: AbortSignal): Promise<ProfileTree> {
  const printed = await run('jfr', ['print', '--events', 'jdk.ExecutionSample', '--stack-depth', String(STACK_DEPTH), path], { signal, limitMs: LIMIT_MS, maxOutputBytes: MAX_OUTPUT_BYTES }).catch((error: unknown) => {
    if (error instanceof DiagError && error.code === 'PROGRAM_FAILED') throw unreadableProfile('the jfr tool of a JDK could not read it; install a JDK of the version that wrote it, or give collapsed stacks');
    throw error;
  });
  if (printed.exitCode !== 0) throw unreadableProfile(`the jfr tool says: ${(printed.stderr || printed.stdout).trim().split('\n')[0]?.slice(0, 200) ?? ''}`);
  return readJfrPrint(printed.stdout);
}

/** "    com.acme.Store.find(String) line: 41" inside "stackTrace = [ … ]". */
const FRAME = /^\s+([\w$.<>]+(?:\([^)]*\))?)\s+line:\s*(\d+)/;

export function readJfrPrint(text: string): ProfileTree {
  const build = new TreeBuilder();
  const root = build.frame('(root)');
  for (const event of text.split(/^jdk\.ExecutionSample \{/m).slice(1)) {
    const frames: number[] = [];
    for (const line of event.split('\n', STACK_DEPTH + 20)) {
      const [, method = '', at = '0'] = FRAME.exec(line) ?? [];
      if (method === '') continue;
      const type = method.replace(/\(.*$/, '').split('.').slice(0, -1).join('.');
      frames.push(build.frame(method, /^(?:java|javax|jdk|sun|com\.sun)\./.test(type) ? `jrt:/${type}` : type, Number(at)));
    }
    if (frames.length > 0) build.stack([root, ...frames.reverse()], SAMPLE_US, SAMPLE_US);
  }
  if (build.sampled === 0) throw unreadableProfile('the recording has no samples of execution');
  build.notes.push('amounts are 20 ms for each sample of a thread');
  return build.tree('jfr', 'us');
}
