// Owns the command `npm run faults [name…]`: the fault lab, which lives with the tests.
await import(new URL('../test/faults/lab/main.ts', import.meta.url).href);
export {};
