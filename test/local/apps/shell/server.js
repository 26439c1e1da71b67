throw new Error('the shop has no server.js');
