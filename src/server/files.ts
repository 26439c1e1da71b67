// Owns sending of files: resumable by Range, with an honest type and name, never following a path of the client.
import { basename, dirname } from 'node:path';
import type { Request, Response } from 'express';

export interface FileAnswer { readonly type: string; /** Given: offered as a download under this name. */ readonly name?: string }

/** Resolves when the file is sent or the client has gone; throws what the file system says. */
export async function sendFile(_req: Request, res: Response, path: string, answer: FileAnswer, signal: AbortSignal): Promise<void> {
  if (answer.name) res.attachment(answer.name);
  res.setHeader('content-type', answer.type);
  res.setHeader('cache-control', 'private, no-cache');
  await new Promise<void>((done, failed) => {
    res.sendFile(basename(path), { root: dirname(path), dotfiles: 'allow', acceptRanges: true, cacheControl: false }, (error?: Error) => {
      if (!error || signal.aborted || res.destroyed) done();
      else failed(error);
    });
  });
}
