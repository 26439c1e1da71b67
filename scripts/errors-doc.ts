// Owns docs/errors.md: every error code with its HTTP status, sentence and next step, written from the catalog; a test compares it.
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DiagError, errors, type ErrorCode } from '../src/shared/errors.ts';

/** The sentences with the names of their facts in place of values. */
const named = new Proxy({}, { get: (_, name) => `<${String(name)}>` }) as Record<string, string>;

export function errorsDoc(): string {
  const rows = (Object.keys(errors) as ErrorCode[]).map((code) => {
    const error = new DiagError(code, named);
    return `| <a id="${code}"></a>\`${code}\` | ${error.status} | ${cell(error.message)} | ${cell(error.next ?? '')} |`;
  });
  return `# Errors\n\nEvery refusal of the API is \`application/problem+json\` with one of these codes; the CLI prints the code in brackets. Codes are stable.\n\n| code | HTTP | what it says | next step |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

const cell = (text: string): string => text.replace(/NaN \w+/g, '<size>').replace(/\|/g, '\\|').replace(/</g, '&lt;');

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await writeFile(join(resolve(import.meta.dirname, '..'), 'docs/errors.md'), errorsDoc());
