// Connections that nobody ends: the system's handles keep them, and with them what their listeners see.
const zoo = require('../zoo.cjs');
const net = require('node:net');
const server = net.createServer((socket) => {
  const session = { rows: Array.from({ length: 200 }, (_, i) => ({ i, at: `row ${i}` })) };
  socket.on('data', () => { session.rows.length = 0; }); // HOLDER data
});
const listening = new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const connect = () => new Promise((resolve) => { const client = net.connect(server.address().port, '127.0.0.1', () => { resolve(client); }); });
void zoo(async () => { await listening; for (let i = 0; i < 8; i++) await connect(); });
