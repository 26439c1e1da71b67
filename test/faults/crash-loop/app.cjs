// Owns an app that loses its licence a moment after each start, whatever is asked.
const http = require('node:http');

http.createServer((req, res) => res.end('ok')).listen(process.env.PORT, () => setTimeout(() => { throw new Error('licence server says no'); }, 700));
