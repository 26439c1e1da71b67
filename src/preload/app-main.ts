// Owns the start of the preload in a process that may be an app.
import { App } from './app.ts';

new App(process.env).start();
