// The entry for iisnode: the program lies below, so that the watched folder holds nothing else.
require('./dist/main.js');
