// Owns rules.json of the home: read when it changes, written whole by whoever has seen its newest form.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { DiagError } from '../../shared/errors.ts';
import { codeIn, writeAtomic } from '../../store/atomic.ts';
import { MAX_SET_BYTES, parseRules, type ParsedRules } from './set.ts';

export const RULES_FILE = 'rules.json';

/** What an empty home begins with: the page shows it, and a person who opens the file knows what belongs there. */
export const EMPTY_SET = '{\n  // What a rule may say: docs/rules.md\n  "rules": []\n}\n';

export interface RuleBookState extends ParsedRules { readonly text: string; readonly version: string }

/** One file for all instances of the site: each reads it by polling, since notices of other machines do not come over a share. */
export class RuleBook {
  readonly #path: string;
  #mark = '';
  #state: RuleBookState = stateOf(EMPTY_SET);
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  get state(): RuleBookState { return this.#state; }

  /** Whether it is another text than at the last look. A file that cannot be read keeps the set that is known. @throws what reading says */
  async look(): Promise<boolean> {
    const mark = await markOf(this.#path);
    if (mark === this.#mark) return false;
    const text = mark === 'none' ? EMPTY_SET : await textOf(this.#path);
    this.#mark = mark;
    if (text === this.#state.text) return false;
    this.#state = stateOf(text);
    return true;
  }

  /** Replaces the text when `version` is that of the newest one. @throws RULES_CHANGED, BAD_INPUT when the text is no set of rules at all */
  async write(text: string, version: string): Promise<RuleBookState> {
    const mine = this.#turn.then(async () => {
      await this.look();
      if (version !== this.#state.version) throw new DiagError('RULES_CHANGED', { version: this.#state.version });
      const next = stateOf(text);
      const whole = next.refused.find(({ whole: all }) => all === true);
      if (whole !== undefined) throw new DiagError('BAD_INPUT', { why: `line ${whole.line}: ${whole.why}` });
      await writeAtomic(this.#path, text);
      this.#mark = await markOf(this.#path);
      this.#state = next;
      return next;
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

function stateOf(text: string): RuleBookState {
  return { text, version: createHash('sha256').update(text).digest('hex').slice(0, 16), ...parseRules(text) };
}

async function textOf(path: string): Promise<string> {
  const { size } = await stat(path);
  // The parser refuses what is longer, and says so; nothing more is read than it needs for that.
  return size > 4 * MAX_SET_BYTES ? ' '.repeat(MAX_SET_BYTES + 1) : await readFile(path, 'utf8');
}

async function markOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return 'none';
    throw error;
  }
}
