// Owns an app that needs a module which nobody installed.
const pg = require('pg-not-installed');

pg.connect();
