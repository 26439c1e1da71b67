// Owns how a program of the zoo lives: it works, a snapshot, it works on, a snapshot, and perhaps a third. The folder for them is the first argument.
'use strict';
const { join } = require('node:path');
const { writeHeapSnapshot } = require('node:v8');
const { setTimeout: later } = require('node:timers/promises');

/** `work(round)` may be asynchronous; it is called `ROUNDS` times before each snapshot, which also collects the garbage. */
const ROUNDS = 10;

module.exports = async function zoo(work) {
  const folder = process.argv[2];
  const count = Number(process.argv[3] ?? 2);
  // What Node itself loads late is loaded before the first snapshot.
  for (let taken = 0; taken < count; taken++) {
    for (let round = 0; round < ROUNDS; round++) { await work(taken * ROUNDS + round); await later(1); }
    writeHeapSnapshot(join(folder, `${taken + 1}.heapsnapshot`));
  }
  process.exit(0);
};
