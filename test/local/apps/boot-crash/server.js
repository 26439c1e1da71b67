// Owns an app that ends before it listens.
process.exit(12);
