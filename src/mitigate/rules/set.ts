// Owns a set of rules as text: JSON with comments; a bad rule is refused alone, and one that is changed by a form leaves the rest of the text as it was.
import { applyEdits, modify, parse, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import type { z } from 'zod';
import { choose } from '../../analyze/choose.ts';
import { diagnosers } from '../../analyze/diagnosers/index.ts';
import { compileFilter } from '../../observe/logs/filter.ts';
import { DiagError } from '../../shared/errors.ts';
import { MAX_RULES, Rule } from '../../shared/rules.ts';

/** A set of two hundred long rules has a tenth of it. */
export const MAX_SET_BYTES = 2 * 1024 * 1024;

/** Where it stands and what is wrong; `id` where it can be told. */
/** `whole`: nothing of the text could be read as rules. */
export interface RefusedRule { readonly index: number; readonly id?: string; readonly line: number; readonly why: string; readonly whole?: true }
export interface ParsedRules { readonly rules: readonly Rule[]; readonly refused: readonly RefusedRule[] }

const OPTIONS = { allowTrailingComma: true, disallowComments: false } as const;

/** Rules in their order. What is no JSON at all refuses the whole text, with the first place. @throws nothing */
export function parseRules(text: string): ParsedRules {
  if (text.length > MAX_SET_BYTES) return whole('the text is longer than 2 MiB');
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, OPTIONS);
  const [first] = errors;
  if (first !== undefined) return { rules: [], refused: [{ index: 0, line: lineOf(text, first.offset), why: `this is no JSON: ${printParseErrorCode(first.error)}`, whole: true }] };
  const list = tree && childOf(tree, 'rules');
  if (list?.type !== 'array') return whole('there is no list "rules"');
  const nodes = list.children ?? [];
  if (nodes.length > MAX_RULES) return whole(`there are ${nodes.length} rules; at most ${MAX_RULES}`);
  return parseEach(text, nodes);
}

function parseEach(text: string, nodes: readonly Node[]): ParsedRules {
  const rules: Rule[] = [];
  const refused: RefusedRule[] = [];
  const seen = new Set<string>();
  nodes.forEach((node, index) => {
    const value: unknown = parse(text.slice(node.offset, node.offset + node.length), [], OPTIONS);
    const parsed = Rule.safeParse(value);
    const id = idIn(value);
    const place = { index, ...(id === undefined ? {} : { id }), line: lineOf(text, node.offset) };
    if (!parsed.success) refused.push({ ...place, why: sayIssues(parsed.error) });
    else if (seen.has(parsed.data.id)) refused.push({ ...place, why: `another rule above has the id ${parsed.data.id}` });
    else {
      seen.add(parsed.data.id);
      const why = impossible(parsed.data);
      if (why === undefined) rules.push(parsed.data); else refused.push({ ...place, why });
    }
  });
  return { rules, refused };
}

/** What only the floors below can tell: a pattern that is none, a diagnoser that is not there, an option that it does not know. */
function impossible(rule: Rule): string | undefined {
  try {
    if (rule.when.type === 'log') compileFilter({ regex: rule.when.pattern });
    for (const step of rule.do) if (step.type === 'diagnose' || step.type === 'collect') choose(diagnosers, step.diagnosers);
    return undefined;
  } catch (error) {
    if (error instanceof DiagError) return error.message;
    throw error;
  }
}

const SAID_ISSUES = 3;
const sayIssues = (error: z.ZodError): string => error.issues.slice(0, SAID_ISSUES).map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`)).join('; ');

const whole = (why: string): ParsedRules => ({ rules: [], refused: [{ index: 0, line: 1, why, whole: true }] });

function childOf(node: Node, name: string): Node | undefined {
  if (node.type !== 'object') return undefined;
  return node.children?.find(({ children }) => children?.[0]?.value === name)?.children?.[1];
}

function idIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('id' in value) || typeof value.id !== 'string') return undefined;
  return value.id.slice(0, 60);
}

const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

/** The text with this rule in the place of the one of its id, or at the end; `undefined` takes it away. Comments and order of all else stay. */
export function withRule(text: string, id: string, rule: Rule | undefined): string {
  const begun = text.trim() === '' ? '{\n  "rules": []\n}\n' : text;
  const tree = parseTree(begun, [], OPTIONS);
  const nodes = (tree && childOf(tree, 'rules'))?.children ?? [];
  const found = nodes.findIndex((node) => childOf(node, 'id')?.value === id);
  if (found < 0 && rule === undefined) return text;
  const place = found < 0 ? nodes.length : found;
  const edits = modify(begun, ['rules', place], rule, { formattingOptions: { insertSpaces: true, tabSize: 2, eol: begun.includes('\r\n') ? '\r\n' : '\n' }, isArrayInsertion: found < 0 });
  return applyEdits(begun, edits);
}
