// Owns the tools of the JDK that a Java process runs on: whether they are there, and what jcmd of that very JDK says about the process.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DiagError } from '../shared/errors.ts';
import type { Offer, ProcessInfo } from '../shared/model.ts';
import { run } from './run.ts';

/** Ten thousand threads print some 20 MB. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** Attaching takes a second; a JVM that does not reach a safepoint never answers. */
const LIMIT_MS = 60_000;

const NO_TOOLS = 'beside its java there is no jcmd: it runs on a JRE; a JDK of the same version brings it (App Service: the built-in Java stacks are JDKs)';

/** jcmd beside the process's own program; a JRE inside a JDK has it one folder further up. */
function jcmdOf(target: ProcessInfo): string | undefined {
  if (target.path === undefined) return undefined;
  const folder = dirname(target.path);
  const name = /\.exe$/i.test(target.path) ? 'jcmd.exe' : 'jcmd';
  return [join(folder, name), join(folder, '..', '..', 'bin', name)].find((path) => existsSync(path));
}

export function isJava(target: ProcessInfo): boolean {
  return target.role === 'java' || /^javaw?(\.exe)?$/i.test(target.name);
}

/** Whether this process can be asked, and if not, why. */
export function jdkOffer(target: ProcessInfo): Offer {
  if (!isJava(target)) return { yes: false, because: `${target.name} is not Java` };
  if (/-XX:\+DisableAttachMechanism\b/.test(target.commandLine ?? '')) return { yes: false, because: 'it was started with -XX:+DisableAttachMechanism: start it without' };
  return jcmdOf(target) === undefined ? { yes: false, because: NO_TOOLS } : { yes: true };
}

/** What the JVM answers to these words of jcmd, without jcmd's own first line. @throws CAPABILITY_MISSING, PROGRAM_FAILED, TIMED_OUT, CANCELLED */
export async function askJvm(target: ProcessInfo, words: readonly string[], signal: AbortSignal): Promise<string> {
  const program = jcmdOf(target);
  if (program === undefined) throw new DiagError('CAPABILITY_MISSING', { what: `jcmd ${words[0] ?? ''}`, because: NO_TOOLS });
  const ran = await run(program, [String(target.pid), ...words], { signal, limitMs: LIMIT_MS, maxOutputBytes: MAX_OUTPUT_BYTES });
  if (ran.exitCode !== 0) throw new DiagError('PROGRAM_FAILED', { program: `jcmd ${words[0] ?? ''}`, end: `code ${ran.exitCode}`, why: whyOf(ran.stderr || ran.stdout) });
  return ran.stdout.replace(/^\d+:\r?\n/, '');
}

/** The line that names the error, before its Java stack. */
function whyOf(text: string): string {
  const lines = text.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !/^\d+:$|^at /.test(line));
  return (lines.find((line) => /Exception|Error|denied|not permitted/i.test(line)) ?? lines[0] ?? 'it said nothing').slice(0, 300);
}
