// Owns a report that is built in memory, whole: one request more than the heap can hold.
const http = require('node:http');

http.createServer((req, res) => {
  if (req.url !== '/export') return setTimeout(() => res.end('page'), 4);
  const rows = [];
  const build = () => {
    for (let i = 0; i < 60_000; i += 1) rows.push({ id: i, name: `row ${i}`, cells: [i, i + 1, i + 2] });
    setImmediate(build);
  };
  build();
}).listen(process.env.PORT);
