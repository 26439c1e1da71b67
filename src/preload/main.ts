// Owns the entry of the preload: node --require loads it before the app. It is read by every Node, however old; only where something is to be done the rest is loaded.
import { reasonToStayOut } from './guards.ts';

/** Older ones lack the channels, and could not even read the rest. */
const OLDEST_NODE = 16;

try {
  if (Number(process.versions.node.split('.')[0]) >= OLDEST_NODE) {
    const { isMainThread } = require('worker_threads') as { isMainThread: boolean };
    if (reasonToStayOut({ env: process.env, argv: process.argv, isMainThread }) === undefined) require('./preload-app.js');
  }
} catch {
  // Without us the app runs as ever.
}
