// Owns the long fuzz of the web.config editor: node --import tsx scripts/fuzz-web-config.ts [rounds] [seed]; the tests run a short one.
import { fuzz } from '../test/mitigate/auto-heal/fuzz.ts';

const rounds = Number(process.argv[2] ?? 20_000), seed = Number(process.argv[3] ?? 1);
const { setCount, refusedCount, sameCount } = fuzz({ seed, rounds });
process.stdout.write(`web.config fuzz, seed ${seed}: ${rounds} files, ${setCount} set, ${refusedCount} refused, ${sameCount} said it already; none broken\n`);
