// Owns a shop that reserves one after the other; an article that is not there leaves the lock taken.
const http = require('node:http');

let last = Promise.resolve();

async function locked(work) {
  const before = last;
  let free;
  last = new Promise((done) => { free = done; });
  await before;
  const answer = await work();
  free();
  return answer;
}

http.createServer((req, res) => {
  const { pathname, searchParams } = new URL(req.url, 'http://shop');
  if (pathname !== '/reserve') return setTimeout(() => res.end('ok'), 4);
  locked(async () => {
    await new Promise((done) => { setTimeout(done, 15); });
    if (searchParams.get('article') === 'gone') throw new RangeError('no such article');
    return 'reserved';
  }).then((text) => res.end(text), () => { res.statusCode = 404; res.end('no such article'); });
}).listen(process.env.PORT);
