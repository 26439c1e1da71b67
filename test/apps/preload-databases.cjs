// Owns a server whose requests ask a real MySQL, PostgreSQL and Redis through the drivers that people use; `?for=` says for how many seconds the database keeps them waiting.
'use strict';
const http = require('node:http');
const { writeFileSync, renameSync } = require('node:fs');
const Ioredis = require('ioredis');
const mysql = require('mysql2/promise');
const { Pool } = require('pg');
const { createClient } = require('redis');

const [mysqlPort, pgPort, redisPort, pgUser] = process.env.DATABASES.split(' ');
const my = mysql.createPool({ host: '127.0.0.1', port: Number(mysqlPort), user: 'root', password: 'word-that-nobody-sees', connectionLimit: 1 });
const pg = new Pool({ host: '127.0.0.1', port: Number(pgPort), user: pgUser, database: 'postgres', max: 1 });
const redis = createClient({ url: `redis://127.0.0.1:${redisPort}` });
const io = new Ioredis(Number(redisPort), '127.0.0.1');
// Nobody listens on the first port: the database that is gone.
const gone = mysql.createPool({ host: '127.0.0.1', port: 1, user: 'root' });

const pages = {
  '/mysql': async (s) => (await my.query('select sleep(?), "statement-that-nobody-sees"', [s]))[0].length,
  '/mysql-execute': async (s) => (await my.execute('select sleep(?)', [s]))[0].length,
  '/mysql-wrong': async () => { try { return await my.query('select * from mysql.no_such_table'); } catch (error) { return error.code; } },
  // As an event, with nobody to hear that it failed: that ends the app.
  '/mysql-unheard': async () => { require('mysql2').createConnection({ host: '127.0.0.1', port: Number(mysqlPort), user: 'root' }).query('select * from mysql.no_such_table').on('result', () => {}); },
  '/mysql-gone': async () => { try { return await gone.query('select 1'); } catch (error) { return error.code; } },
  '/pg': async (s) => (await pg.query('select pg_sleep($1)', [s])).rows.length,
  '/redis': async (s) => (s > 0 ? redis.blPop('nothing', s) : redis.get('nothing')),
  '/redis-wrong': async () => { try { await redis.set('text', 'x'); return await redis.lPush('text', 'y'); } catch (error) { return error.message.split(' ')[0]; } },
  '/ioredis': async (s) => (s > 0 ? io.blpop('nothing', s) : io.get('nothing')),
};

const server = http.createServer((req, res) => {
  const { pathname, searchParams } = new URL(req.url, 'http://app');
  pages[pathname](Number(searchParams.get('for') ?? 0)).then((value) => res.end(JSON.stringify(value)), (error) => { res.statusCode = 500; res.end(String(error)); });
});
redis.connect().then(() => server.listen(0, '127.0.0.1', () => { writeFileSync(`${process.env.PORT_FILE}.new`, JSON.stringify([server.address().port])); renameSync(`${process.env.PORT_FILE}.new`, process.env.PORT_FILE); }));
