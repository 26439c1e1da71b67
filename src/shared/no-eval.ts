// Owns that schemas never generate code in the page: under its CSP even the attempt is an error; imported before any schema.
import { config } from 'zod';

config({ jitless: true });
