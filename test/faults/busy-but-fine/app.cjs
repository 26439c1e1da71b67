// Owns an app that computes in the background, on a thread of its own and with a rest between, and answers as always.
const http = require('node:http');
const { Worker, isMainThread } = require('node:worker_threads');

if (isMainThread) {
  new Worker(__filename);
  http.createServer((req, res) => setTimeout(() => res.end('ok'), 4)).listen(process.env.PORT, () => console.log(`listening on port ${process.env.PORT}`));
} else {
  const burn = () => { const until = Date.now() + 70; while (Date.now() < until); setTimeout(burn, 30); };
  burn();
}
