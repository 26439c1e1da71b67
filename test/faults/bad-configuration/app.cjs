// Owns a shop whose payment asks for a setting when it is first needed, or at once with STRICT=1.
const http = require('node:http');

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`Missing required environment variable: ${name}`);
  return value;
}
if (process.env.STRICT) setting('PAYMENT_KEY');

http.createServer((req, res) => {
  if (req.url !== '/pay') return setTimeout(() => res.end('ok'), 4);
  try { res.end(setting('PAYMENT_KEY').slice(0, 1)); } catch (error) { console.error(`${new Date().toISOString()} error POST /pay ${error.stack}`); res.statusCode = 500; res.end('error'); }
}).listen(process.env.PORT);
