// Owns the list of test files in which something failed, a line each, as a reporter of node's runner; no TypeScript, as the runner loads it before any loader.

/** @param {AsyncIterable<import('node:test/reporters').TestEvent>} events */
export default async function* failedFiles(events) {
  const told = new Set();
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.file === undefined || told.has(data.file)) continue;
    told.add(data.file);
    yield `${data.file}\n`;
  }
}
