// Owns a shop over a real database, by the driver and the pool that people use.
const http = require('node:http');
const { createRequire } = require('node:module');

const load = createRequire(process.env.DRIVERS);
const port = Number(process.env.DB_PORT);
const size = Number(process.env.POOL_SIZE);
let ask;
if (process.env.DB === 'mysql') {
  const pool = load('mysql2/promise').createPool({ host: '127.0.0.1', port, user: 'root', connectionLimit: size });
  ask = async (text) => (await pool.query(text))[0];
} else if (process.env.DB === 'redis') {
  const client = load('redis').createClient({ url: `redis://127.0.0.1:${port}` });
  client.on('error', (error) => { console.error(`${new Date().toISOString()} WARN cache: ${error.message || error.code}`); });
  client.connect();
  ask = () => client.get('cart');
} else {
  const { Pool } = load('pg');
  const pool = new Pool({ host: '127.0.0.1', port, user: process.env.DB_USER, database: 'postgres', max: size });
  ask = async (text) => (await pool.query(text)).rows;
}

http.createServer((req, res) => {
  if (req.url !== '/invoices') return res.end('ok');
  ask(process.env.STATEMENT).then((rows) => res.end(JSON.stringify(rows)), (error) => { console.error(`${new Date().toISOString()} ERROR ${error.stack}`); res.statusCode = 500; res.end('error'); });
}).listen(process.env.PORT);
