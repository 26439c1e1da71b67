// Owns the WebSocket at /ws: the handshake by hand, and every message sent back.
'use strict';

const { createHash } = require('node:crypto');

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455, 1.3
const MESSAGE_BYTES = 64 * 1024;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

/** Answers an upgrade request; anything but a WebSocket of version 13 is refused. */
function upgrade(req, socket, head) {
  const key = req.headers['sec-websocket-key'];
  if (req.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined || req.headers['sec-websocket-version'] !== '13') {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const accept = createHash('sha1').update(key + GUID).digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  let waiting = head;
  socket.on('error', () => socket.destroy());
  const read = (bytes) => {
    waiting = Buffer.concat([waiting, bytes]);
    for (let frame = take(waiting); frame !== undefined; frame = take(waiting)) {
      if (frame.refused) return void socket.end(frameOf(CLOSE, Buffer.from([0x03, 0xf1]))); // 1009: too big
      waiting = waiting.subarray(frame.bytes);
      if (frame.code === CLOSE) return void socket.end(frameOf(CLOSE, frame.payload));
      if (frame.code === PONG) continue;
      socket.write(frameOf(frame.code === PING ? PONG : frame.code, frame.payload, frame.last));
    }
  };
  socket.on('data', read);
  read(Buffer.alloc(0));
}

/** The first whole frame of the bytes, unmasked; nothing while it is incomplete. */
function take(bytes) {
  if (bytes.length < 2) return undefined;
  let size = bytes[1] & 0x7f;
  let at = 2;
  if (size === 126) {
    if (bytes.length < 4) return undefined;
    size = bytes.readUInt16BE(2);
    at = 4;
  }
  const masked = (bytes[1] & 0x80) !== 0;
  if (size === 127 || size > MESSAGE_BYTES || !masked) return { refused: true };
  if (bytes.length < at + 4 + size) return undefined;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + size));
  for (let i = 0; i < payload.length; i += 1) payload[i] ^= mask[i % 4];
  return { code: bytes[0] & 0x0f, last: (bytes[0] & 0x80) !== 0, payload, bytes: at + 4 + size };
}

function frameOf(code, payload, last = true) {
  const head = payload.length < 126 ? Buffer.from([0, payload.length]) : Buffer.from([0, 126, payload.length >> 8, payload.length & 0xff]);
  head[0] = (last ? 0x80 : 0) | code;
  return Buffer.concat([head, payload]);
}

module.exports = { upgrade };
