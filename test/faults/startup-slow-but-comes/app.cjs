// Owns an app that is ready only after a dozen seconds, in which visitors come already.
const http = require('node:http');

setTimeout(() => http.createServer((req, res) => res.end('ok')).listen(process.env.PORT, () => console.log(`ready, listening on port ${process.env.PORT}`)), 10_000);
