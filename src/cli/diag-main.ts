// Owns the diag command with all its commands; built to dist/diag.js.
import { program } from './program.ts';
import { run } from './run.ts';

void run(program);
