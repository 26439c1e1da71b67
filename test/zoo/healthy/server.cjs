// A web server under steady load; what it loads and compiles late is not a leak.
const zoo = require('../zoo.cjs');
const http = require('node:http');
const server = http.createServer((request, response) => { response.end(JSON.stringify({ url: request.url, at: Array.from({ length: 50 }, (_, i) => i) })); });
const listening = new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
const get = (path) => new Promise((resolve, reject) => { http.get({ agent, port: server.address().port, host: '127.0.0.1', path }, (answer) => { answer.resume().on('end', resolve); }).on('error', reject); });
let id = 0;
void zoo(async (round) => {
  await listening;
  for (let i = 0; i < 25; i++) await get(`/orders/${id++}`);
  if (round === 15) { require('node:dns'); require('node:readline'); require('node:crypto').createHash('sha256').update('x').digest('hex'); }
});
