// Owns one question to an address: whether anything there answers in HTTP, whatever it says.
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';

/** True when an answer began; false when nobody is there. The abort ends the waiting. */
export function answersHttp(url: URL, signal: AbortSignal): Promise<boolean> {
  const get = url.protocol === 'https:' ? getSecure : getPlain;
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent: false, signal }, (answer) => {
      answer.destroy();
      resolve(true);
    });
    asked.on('error', (error) => { if (signal.aborted) reject(error); else resolve(false); });
  });
}
