// Owns the shop's HTML: one calm page frame, no outside resources, and a start page that says what can be broken.
'use strict';

const STYLE = `
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem; font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.4rem; } h2 { margin: 2.2rem 0 .6rem; font-size: 1rem; }
header p { margin: .2rem 0 0; opacity: .75; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); }
li { border: 1px solid color-mix(in srgb, currentColor 22%, transparent); border-radius: 6px; padding: .6rem .8rem; }
li p { margin: .15rem 0 0; font-size: .86rem; opacity: .75; }
a, button { font: inherit; color: #1f5fd1; background: none; border: 0; padding: 0; cursor: pointer; text-decoration: underline; text-underline-offset: .15em; }
@media (prefers-color-scheme: dark) { body { background: #0e1116; color: #e8ecf2; } a, button { color: #8cb6ff; } }
form { display: inline; } code { font: .9em ui-monospace, monospace; }
#said { position: sticky; bottom: 0; margin: 2rem 0 0; padding: .6rem .8rem; border-radius: 6px; background: color-mix(in srgb, currentColor 8%, Canvas); min-height: 1.5em; }
`;

const healthy = [
  ['/products/3', 'A product', 'answers 200 in a few ms'],
  ['/cart', 'The cart', 'answers 200 in a few ms'],
  ['/search?q=blue', 'Search for “blue”', 'answers 200, a list'],
  ['/products/4711', 'A product that is not there', 'answers 404'],
];

const misbehaviours = [
  ['/slow?ms=3000', 'Slow', 'answers after 3 s'],
  ['/hang', 'Hang', 'never answers: 502.3 / 12002 after the handler’s limit'],
  ['/error', 'Error', 'answers 500, the worker lives on'],
  ['/spin?ms=2000', 'Block the event loop', 'nobody is answered for 2 s'],
  ['/leak?mb=50', 'Leak 50 MB', 'the worker keeps them'],
  ['/leak/free', 'Free what was leaked', 'memory falls at the next collection'],
  ['/throw', 'Throw', 'an uncaught exception: exit code 1, 502.3 / 12030'],
  ['/crash?code=3', 'Exit with code 3', 'ten of these within a minute stop the site: 503'],
  ['/stream?chunks=10&ms=300', 'Stream', 'ten chunks, 300 ms apart'],
  ['/log?lines=200', 'Log 200 lines', 'on stdout, all levels'],
];

const escaped = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

function frame(title, body) {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/shop.css"></head>
<body>${body}</body></html>
`;
}

const item = ([href, name, about]) => `<li><a data-call href="${escaped(href)}">${escaped(name)}</a><p>${escaped(about)}</p></li>`;

function start() {
  return frame('Contoso shop', `<header><h1>Contoso shop</h1><p>A small shop that misbehaves when asked to. Process ${process.pid}, Node ${escaped(process.version)}.</p></header>
<h2>Healthy</h2><ul>${healthy.map(item).join('')}
<li><form data-call method="post" action="/cart/apply"><input type="hidden" name="code" value="WELCOME10"><button>Apply voucher WELCOME10</button></form><p>answers 200</p></li></ul>
<h2>Misbehaving</h2><ul>
<li><form data-call method="post" action="/cart/apply"><input type="hidden" name="code" value="GIFT50"><button>Apply voucher GIFT50</button></form><p>a bug in <code>lib/cart.js</code>: the worker crashes</p></li>
${misbehaviours.map(item).join('')}
<li><button type="button" id="socket">Open a WebSocket</button><p>sends one message and shows its echo</p></li></ul>
<p id="said" role="status">Nothing asked yet.</p>
<script src="/shop.js"></script>`);
}

function list(title, products) {
  const rows = products.map((product) => `<li><a href="/products/${product.id}">${escaped(product.name)}</a><p>${(product.priceCents / 100).toFixed(2)} €</p></li>`);
  return frame(title, `<header><h1>${escaped(title)}</h1><p><a href="/">Shop</a></p></header><h2>${products.length} found</h2><ul>${rows.join('')}</ul>`);
}

/** In the browser: links and forms are asked in place, so that a broken answer does not take the page away. Without it they still work. */
const SCRIPT = `
const said = document.getElementById('said');
async function call(method, url, body) {
  const at = performance.now();
  said.textContent = method + ' ' + url + ' …';
  try {
    const answer = await fetch(url, { method, body });
    const text = await answer.text();
    said.textContent = method + ' ' + url + ': ' + answer.status + ' in ' + Math.round(performance.now() - at) + ' ms, ' + text.length + ' characters';
  } catch (error) {
    said.textContent = method + ' ' + url + ': ' + error.message + ' after ' + Math.round(performance.now() - at) + ' ms';
  }
}
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-call]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  call('GET', link.getAttribute('href'));
});
document.addEventListener('submit', (event) => {
  if (!event.target.matches('form[data-call]')) return;
  event.preventDefault();
  call('POST', event.target.getAttribute('action'), new URLSearchParams(new FormData(event.target)));
});
document.getElementById('socket').addEventListener('click', () => {
  const socket = new WebSocket(location.href.replace(/^http/, 'ws').replace(/[^/]*$/, 'ws'));
  said.textContent = 'WebSocket: opening …';
  socket.onopen = () => socket.send('hello from the shop');
  socket.onmessage = (event) => { said.textContent = 'WebSocket: echo “' + event.data + '”'; socket.close(); };
  socket.onerror = () => { said.textContent = 'WebSocket: refused'; };
});
`;

module.exports = { STYLE, SCRIPT, list, start };
