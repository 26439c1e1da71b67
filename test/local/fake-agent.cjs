// Owns a stand-in for the agent in launcher tests: it listens, prints the agent's two lines, and ends with its stdin.
'use strict';

const http = require('node:http');
const { PORT, DIAG_LISTEN_HOST, DIAG_END_WITH_STDIN, ...rest } = process.env;

if (rest.FAKE_AGENT_DIES === '1') process.exit(9);

const server = http.createServer((req, res) => {
  if (req.url === '/diag/die') process.exit(7);
  const seen = ['HOME', 'DIAG_TOKEN', 'WEBSITE_IIS_SITE_NAME', 'APP_POOL_ID', 'WEBSITE_INSTANCE_ID', 'WEBSITE_SITE_NAME'];
  res.end(JSON.stringify({ pid: process.pid, ...Object.fromEntries(seen.map((name) => [name, rest[name]])) }));
});
server.listen(Number(PORT), DIAG_LISTEN_HOST, () => {
  process.stdout.write(`open http://127.0.0.1:${PORT}/diag?once=abc\n`);
  process.stdout.write(`listening http://127.0.0.1:${PORT}/diag\n`);
});
if (DIAG_END_WITH_STDIN === '1') process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGTERM', () => process.exit(0));
