// Owns an app of which one process may be sick: it answers every request with 500 and says nothing.
const http = require('node:http');

http.createServer((req, res) => { if (process.env.SICK) res.statusCode = 500; setTimeout(() => res.end('x'), 3); }).listen(process.env.PORT);
