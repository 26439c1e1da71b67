// Owns an app whose package.json says how it is started.
import { createServer } from 'node:http';

createServer((req, res) => res.end(process.env.GREETING)).listen(process.env.PORT, '127.0.0.1');
