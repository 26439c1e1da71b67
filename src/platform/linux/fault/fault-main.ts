// Owns the entry of the process that waits for a fault: its one argument is the command.
import { watchFaults } from './helper.ts';
import type { FaultCommand } from './words.ts';

void watchFaults(JSON.parse(process.argv[2] ?? '{}') as FaultCommand);
