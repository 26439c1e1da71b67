// Owns ProcDump's spelling on our command line: its options of several letters after one dash, and its optional values.

/** ProcDump's word and ours. Those of one letter that commander knows stay as they are. */
const WORDS: Readonly<Record<string, string>> = { '-ma': '--full', '-mp': '--mini-plus', '-mm': '--mini', '-cl': '--cpu-below', '-ml': '--memory-below', '-tc': '--threads', '-at': '--until', '-dc': '--comment', '-h': '--hang' };

/** Words after `diag dump` in our own spelling; `-e 1` is one word, since a pid may follow a bare `-e`. Everything else is left alone. */
export function dumpWords(argv: readonly string[]): string[] {
  const at = argv.indexOf('dump');
  // Only as the command: before it stand the program, the script, and nothing else.
  if (at !== 2) return [...argv];
  const words: string[] = [];
  for (let i = at + 1; i < argv.length; i += 1) {
    const word = argv[i] ?? '';
    if (word === '--') { words.push(...argv.slice(i)); break; }
    if (word === '-e' && argv[i + 1] === '1') { words.push('--exceptions=first'); i += 1; continue; }
    if (word === '-e') words.push('--exceptions=unhandled');
    else words.push(WORDS[word] ?? word);
  }
  return [...argv.slice(0, at + 1), ...words];
}
