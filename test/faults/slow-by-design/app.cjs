// Owns an app with a report that takes two seconds, as its users know.
const http = require('node:http');

http.createServer((req, res) => { setTimeout(() => res.end('ok'), req.url === '/report' ? 2_000 : 4); }).listen(process.env.PORT);
