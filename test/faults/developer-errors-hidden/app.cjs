// Owns an app that dies of a voucher; iisnode, whose words it repeats here as its log keeps them, answers such a request with 200 and its page of errors.
const http = require('node:http');

process.on('exit', () => console.error('iisnode encountered an error when processing the request.\nHRESULT: 0x6d\nHTTP status: 500\nHTTP subStatus: 1013\nHTTP reason: Internal Server Error\nYou are receiving this HTTP 200 response because system.webServer/iisnode/@devErrorsEnabled configuration setting is \'true\'.'));
http.createServer((req, res) => {
  if (req.url === '/voucher') return setTimeout(() => { throw new TypeError("Cannot read properties of undefined (reading 'discount')"); }, 5);
  setTimeout(() => res.end('ok'), 4);
}).listen(process.env.PORT);
