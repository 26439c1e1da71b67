// Owns the entry of the dump writer's own process: its one argument is the order.
import type { Order } from './helper-words.ts';
import { runHelper } from './helper.ts';

void runHelper(JSON.parse(process.argv[2] ?? '{}') as Order);
