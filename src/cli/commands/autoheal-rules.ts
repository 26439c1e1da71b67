// Owns the rules that a user gives to `diag autoheal`: JSON in the management API's form, of a file or on standard input.
import { readFile } from 'node:fs/promises';
import { AutoHealSent, type AutoHealRules } from '../../shared/auto-heal.ts';
import { DiagError, sayError } from '../../shared/errors.ts';
import { within } from '../../platform/clock.ts';
import { stop } from '../until.ts';

const MAX_CHARS = 1_048_576;
/** A pipe whose writer says nothing for so long has hung. */
const INPUT_MS = 600_000;

/** The rules alone, `siteConfig` with them, or a whole answer of the management API, of which only they are taken. @throws BAD_INPUT */
export async function rulesGiven(file: string | undefined): Promise<AutoHealRules> {
  const where = file ?? 'standard input';
  const parsed = AutoHealSent.safeParse(jsonOf(file === undefined ? await standardInput() : await textOf(file), where));
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new DiagError('BAD_INPUT', { why: `${where}: ${first?.path.join('.') || 'rules'}: ${first?.message ?? 'no auto-heal rules'}` });
}

function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    if (error instanceof SyntaxError) throw new DiagError('BAD_INPUT', { why: `${where}: ${text.trim() === '' ? 'it is empty; the rules are JSON in the management API\'s form, here or in a file named with --rules' : error.message}` }, { cause: error });
    throw error;
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new DiagError('BAD_INPUT', { why: `${file}: ${sayError(error)}` }, { cause: error });
  }
}

async function standardInput(): Promise<string> {
  if (process.stdin.isTTY) throw new DiagError('BAD_INPUT', { why: 'the rules come as JSON on standard input or with --rules FILE' });
  const limit = within(INPUT_MS, stop);
  limit.addEventListener('abort', () => { process.stdin.destroy(limit.reason as Error); }, { once: true });
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const piece of process.stdin as AsyncIterable<string>) {
    text += piece;
    if (text.length > MAX_CHARS) throw new DiagError('BAD_INPUT', { why: 'standard input: more than a megabyte is no set of rules' });
  }
  return text;
}
