// Owns memlab's side of the bench of heap snapshots: reading, ways, dominators, retained sizes, then classes, the largest objects and their ways. Its folder is the first argument.
'use strict';
const { createRequire } = require('node:module');
const [folder, path] = process.argv.slice(2);
const { getFullHeapFromFile } = createRequire(`${folder}/`)('@memlab/heap-analysis');

async function main() {
  const started = performance.now();
  const heap = await getFullHeapFromFile(path);
  const readMs = Math.round(performance.now() - started);
  // What our report has too: classes with sizes, the largest objects with their ways.
  const classes = new Map();
  const largest = [];
  heap.nodes.forEach((node) => {
    const key = node.type === 'object' || node.type === 'native' ? node.name : `(${node.type})`;
    const row = classes.get(key) ?? { count: 0, shallow: 0, retained: 0 };
    row.count++; row.shallow += node.self_size;
    if (node.dominatorNode?.name !== node.name) row.retained += node.retainedSize;
    classes.set(key, row);
    largest.push([node.retainedSize, node.id]);
    if (largest.length > 2_000) { largest.sort((a, b) => b[0] - a[0]); largest.length = 50; }
  });
  largest.sort((a, b) => b[0] - a[0]);
  let steps = 0;
  for (const [, id] of largest.slice(0, 50)) for (let node = heap.getNodeById(id); node?.pathEdge; node = node.pathEdge.fromNode) steps++;
  process.stdout.write(`\n@@${JSON.stringify({ readMs, classes: classes.size, steps, tookMs: Math.round(performance.now() - started), cpuMs: Math.round(process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000), peakBytes: process.resourceUsage().maxRSS * 1024, nodes: heap.nodes.length })}\n`);
}

void main();
