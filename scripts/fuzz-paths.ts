// Owns the path fuzzer at length: 100,000 hostile paths (or --paths N, --seed S) by both systems' rules, on a real disk with canaries outside the roots.
const { fuzzPaths } = await import(new URL('../test/support/fuzz-paths.ts', import.meta.url).href) as { fuzzPaths(seed: number, paths: number): Promise<Record<string, unknown> & { faults: readonly string[] }> };

const given = (name: string, otherwise: number): number => { const at = process.argv.indexOf(`--${name}`); return at < 0 ? otherwise : Number(process.argv[at + 1]); };
const seed = given('seed', 20_261_121);
const told = await fuzzPaths(seed, given('paths', 100_000));
process.stdout.write(`${JSON.stringify({ seed, ...told }, undefined, 1)}\n`);
process.exitCode = told.faults.length > 0 ? 1 : 0;
