// Owns an app that waits for a lock file and listens only then: it lives, and nobody hears.
const { existsSync } = require('node:fs');
const http = require('node:http');

const look = setInterval(() => {
  if (!existsSync('/no/such/lock')) return;
  clearInterval(look);
  http.createServer((req, res) => res.end('ok')).listen(process.env.PORT);
}, 100);
