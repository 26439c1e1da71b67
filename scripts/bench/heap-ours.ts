// Owns our side of the bench of heap snapshots, as a program of its own that reads in a thread, as the product does: its time and its peak are those of one analysis.
import { heapReportInThread } from '../../src/analyze/heap/thread.ts';

const started = performance.now();
const [path = '', ...bases] = process.argv.slice(2);
void heapReportInThread({ path, bases }, new AbortController().signal).then((report) => {
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${JSON.stringify({ tookMs: Math.round(performance.now() - started), cpuMs: Math.round((user + system) / 1000), peakBytes: process.resourceUsage().maxRSS * 1024, nodes: report.nodes, edges: report.edges, classes: report.classes.length, suspects: report.suspects.length })}\n`);
});
