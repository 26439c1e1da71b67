// Owns our side of the bench of heap snapshots, as a program of its own: its time and its peak are those of one analysis.
import { heapReport } from '../../src/analyze/heap/report.ts';

const started = performance.now();
const [path = '', ...bases] = process.argv.slice(2);
const report = heapReport({ path, bases });
process.stdout.write(`${JSON.stringify({ tookMs: Math.round(performance.now() - started), cpuMs: Math.round(process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000), peakBytes: process.resourceUsage().maxRSS * 1024, nodes: report.nodes, edges: report.edges, classes: report.classes.length, suspects: report.suspects.length })}\n`);
