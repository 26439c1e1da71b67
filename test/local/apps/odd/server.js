// Owns an app that answers in every way a well-behaved one never does, steered by its URL.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';

const kept = { aborted: 0, worked: 0, flooded: 0, blocked: false, floodDone: false, uploaded: 0, early: false };
let gate = () => undefined;
const FLOOD_BYTES = 256 * 1024 * 1024;

function flood(res) {
  const piece = Buffer.alloc(256 * 1024, 'x');
  let quiet;
  res.writeHead(200, { 'Content-Length': FLOOD_BYTES });
  const more = () => {
    clearTimeout(quiet);
    kept.blocked = false;
    while (kept.flooded < FLOOD_BYTES) {
      kept.flooded += piece.length;
      if (!res.write(piece)) {
        quiet = setTimeout(() => { kept.blocked = true; }, 1000);
        return;
      }
    }
    kept.floodDone = true;
    res.end();
  };
  res.on('drain', more);
  more();
}

const routes = {
  '/': (req, res) => res.end('fine'),
  '/kept': (req, res) => res.end(JSON.stringify(kept)),
  '/environment': (req, res) => res.end(JSON.stringify(process.env)),
  '/seen': (req, res) => res.end(JSON.stringify({ url: req.url, method: req.method, headers: req.headers, raw: req.rawHeaders })),
  '/garbled': (req) => req.socket.end('this is not HTTP\r\n\r\n'),
  '/big-head': (req) => req.socket.end(`HTTP/1.1 200 OK\r\nX-Big: ${'x'.repeat(100_000)}\r\nContent-Length: 0\r\n\r\n`),
  '/bad-chunk': (req) => req.socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\nabc\r\n'),
  '/half-then-die': (req, res) => {
    res.writeHead(200, { 'Content-Length': '1000' });
    res.write('half', () => setTimeout(() => process.exit(5), 20));
  },
  '/hang': (req, res) => res.on('close', () => { kept.aborted += 1; }),
  '/hang-after-head': (req, res) => {
    res.writeHead(200);
    res.write('begun');
    res.on('close', () => { kept.aborted += 1; });
  },
  '/work': (req, res) => setTimeout(() => {
    kept.worked += 1;
    res.end('done');
  }, 800),
  '/gate': (req, res) => {
    res.write('first ');
    gate = () => res.end('last');
  },
  '/open-gate': (req, res) => {
    gate();
    res.end('opened');
  },
  '/drip': (req, res) => {
    let n = 0;
    const timer = setInterval(() => {
      n += 1;
      res.write('.');
      if (n === 20) {
        clearInterval(timer);
        res.end();
      }
    }, 100);
  },
  '/echo': (req, res) => {
    res.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    res.flushHeaders();
    req.pipe(res);
  },
  '/early': (req, res) => {
    res.writeHead(413, { Connection: 'close' });
    res.end('too much');
  },
  '/odd-heads': (req, res) => {
    res.writeHead(299, 'Oddly Fine', [
      'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Hop', 'dropped', 'Connection', 'x-hop', 'Keep-Alive', 'timeout=3', 'X-Latin', 'caf\u00e9',
    ]);
    res.end(Buffer.from('odd')); // a string would go out with the head, and then both as UTF-8
  },
  '/connection': (req, res) => res.end(String(req.socket.remotePort)),
  // As an app does whose keepAliveTimeout ends just when the next request is on its way.
  '/only-on-a-new-connection': (req, res) => (req.socket.used === true ? req.socket.destroy() : res.end('new')),
  '/flood': (req, res) => flood(res),
  '/child': (req, res) => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
    res.end(String(child.pid));
  },
  '/print': (req, res) => {
    process.stdout.write(Buffer.from([0x66, 0xff, 0x00, 0x0a]), () => res.end('printed'));
  },
  '/print-much': (req, res) => {
    for (let i = 0; i < 50; i += 1) process.stdout.write(`${String(i).padStart(4, '0')} ${'x'.repeat(1000)}\n`);
    res.end('printed');
  },
};

const server = createServer((req, res) => {
  const route = routes[req.url.split('?')[0]];
  if (route === undefined) {
    res.statusCode = 404;
    res.end('missing');
  } else route(req, res);
  req.socket.used = true;
});
server.on('upgrade', (req, socket) => {
  socket.on('error', () => socket.destroy());
  if (req.url === '/refused') return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello;');
  socket.on('data', (bytes) => (String(bytes) === 'reset' ? socket.resetAndDestroy() : socket.write(bytes)));
});
server.listen(process.env.PORT, '127.0.0.1');
