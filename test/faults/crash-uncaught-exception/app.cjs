// Owns a shop whose voucher code throws after the answer of the database came: nothing catches it there.
const http = require('node:http');

const vouchers = { SPRING: { discount: { percent: 10 } }, GIFT: {} };

function apply(code, res) {
  setTimeout(() => {
    const { percent } = vouchers[code].discount;
    res.end(`${percent} % off`);
  }, 15);
}

http.createServer((req, res) => {
  const url = new URL(req.url, 'http://shop');
  if (url.pathname === '/voucher') return apply(url.searchParams.get('code'), res);
  if (url.pathname === '/report') return setTimeout(() => res.end('a long report'), 1500);
  res.end('a shop');
}).listen(process.env.PORT, () => console.log(`shop listens on port ${process.env.PORT}`));
