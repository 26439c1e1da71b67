// Owns an app that listens where its author's machine had it.
const http = require('node:http');

const port = Number(process.env.OWN_PORT);
http.createServer((req, res) => res.end('ok')).listen(port, () => console.log(`Server running at http://localhost:${port}/`));
