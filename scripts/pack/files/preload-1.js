// What NODE_OPTIONS of the main site names. It lies beside the package's folder, not in it: a file that is named there and missing ends every Node app at its start.
// Once written it is never changed or removed (a changed one gets another number), and it is read by every Node, however old.
try {
  require(__dirname.replace(/\.Preload$/i, '') + '/dist/preload.js');
} catch (gone) {
  void gone;                                                   // a catch without a name is not read by Node 8
  // The package is gone, or being replaced: the app runs as ever.
}
