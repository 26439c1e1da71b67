// Owns the user's own program as an action: an argument list, never a shell, a time limit, its last words kept and masked.
import { run } from '../../platform/run.ts';
import type { ActionResult } from '../../shared/rules.ts';
import type { Hand } from '../rules/firing.ts';

/** More is a program that talks to nobody; it is ended. */
const MAX_OUTPUT_BYTES = 1_048_576;
const FIRST_CHARS = 400;
const LAST_CHARS = 1_400;

export interface ProgramPorts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  mask(text: string): string;
}

/** Without `after`: whether it was done cannot be seen from outside, so it is not done twice. */
export function programHand({ env, folder, mask }: ProgramPorts): Hand {
  return {
    async run(step, { fired, before, signal }): Promise<ActionResult> {
      if (step.type !== 'run') throw new Error(`${step.type} is no program`);
      const session = [...before].reverse().find((one) => one.session !== undefined)?.session;
      const told = { DIAG_RULE: fired.rule, DIAG_FIRING: fired.firing, DIAG_CONDITION: fired.condition, DIAG_SESSION: session, DIAG_PID: fired.target === undefined ? undefined : String(fired.target.pid) };
      const { stdout, stderr, exitCode } = await run(step.program, step.arguments, { signal, limitMs: step.limitMs, maxOutputBytes: MAX_OUTPUT_BYTES, cwd: folder, env: { ...env, ...told } });
      const output = mask([stdout, stderr].filter((text) => text !== '').join('\n').trim());
      return { result: exitCode === 0 ? 'done' : 'failed', says: `exit code ${exitCode}${output === '' ? ', no output' : `: ${shortened(output)}`}` };
    },
  };
}

function shortened(output: string): string {
  const leftOut = output.length - FIRST_CHARS - LAST_CHARS;
  return leftOut <= 0 ? output : `${output.slice(0, FIRST_CHARS)}\n… ${leftOut} characters left out …\n${output.slice(-LAST_CHARS)}`;
}
