// Owns the entry of the worker thread in which analyzers run; built to dist/analyze-worker.js.
import { analyzers } from './analyzers/index.ts';
import { serve } from './worker.ts';

serve(analyzers);
