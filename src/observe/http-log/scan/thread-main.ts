// Owns the entry of the scan's threads; built to dist/http-log-thread.js.
import { serveScan } from './thread.ts';

serveScan();
