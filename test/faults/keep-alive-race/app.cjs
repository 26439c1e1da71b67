// Owns an app whose connections live for a moment only: it closes them just when the front uses them again.
const http = require('node:http');

const server = http.createServer((req, res) => setTimeout(() => res.end('ok'), 2));
server.on('connection', (socket) => {
  let answered = 0;
  socket.prependListener('data', () => { answered += 1; if (answered % Number(process.env.EVERY) === 0) socket.destroy(); });
});
server.listen(process.env.PORT);
