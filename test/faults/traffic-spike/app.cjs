// Owns a kitchen with two cooks: each dish takes them 40 ms, and the rest waits in line.
const http = require('node:http');

let free = 2;
const line = [];
function cook(done) {
  if (free === 0) return line.push(done);
  free -= 1;
  setTimeout(() => { free += 1; done(); const next = line.shift(); if (next) cook(next); }, 40);
}

http.createServer((req, res) => cook(() => res.end('served'))).listen(process.env.PORT);
