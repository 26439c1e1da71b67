// Owns the routes of files: folders in pages, windows, downloads, changes, uploads, zips and the use of the disk.
import type { Agent } from '../../agent/agent.ts';
import type { fileRoutes } from '../../shared/files.ts';
import { pipeline } from 'node:stream/promises';
import type { Handlers } from '../mount.ts';
import { sendOpened } from '../send-opened.ts';

type Mine = Pick<Handlers, keyof typeof fileRoutes>;

/** A file of a user is never a page of ours: downloaded, or shown as a picture by the page itself. */
const CLOSED = "default-src 'none'; sandbox";

export function fileRouteHandlers({ files, audit }: Agent): Mine {
  return { ...looks(files), ...changes(files), ...uploads(files), ...zips(files, audit) };
}

function looks(files: Agent['files']): Pick<Mine, 'fileRoots' | 'files' | 'fileWindow' | 'searchFile' | 'fileContent' | 'measureUse' | 'diskUse'> {
  return {
    fileRoots: async () => ({ roots: files.roots.map(({ name, title, path }) => ({ name, title, path })), separator: files.separator }),
    files: ({ query, signal }) => files.page(query, query.after, query.limit, signal),
    fileWindow: ({ query, who }) => files.window(query, query, who),
    searchFile: ({ query, signal }) => files.search(query, query.text, query.offset, signal),
    fileContent: async ({ query, who, req, res, signal }) => {
      const file = await files.download(query, who, /^bytes=[1-9]/.test(req.headers.range ?? ''));
      res.setHeader('content-security-policy', CLOSED);
      await sendOpened(req, res, file, { type: 'application/octet-stream', name: file.entry.name }, signal);
    },
    measureUse: async ({ body, who }) => files.measure(body, who),
    diskUse: async ({ params }) => files.measured(params.operation),
  };
}

function changes(files: Agent['files']): Pick<Mine, 'saveFile' | 'makeFolder' | 'moveFile' | 'copyFile' | 'deleteFile' | 'bin' | 'restoreFile' | 'emptyBin'> {
  return {
    saveFile: ({ body, who }) => files.save(body, who),
    makeFolder: async ({ body, who }) => { await files.newFolder(body, who); return { ok: true }; },
    moveFile: async ({ body, who }) => { await files.rename(body, { root: body.toRoot ?? body.root, path: body.to }, who); return { ok: true }; },
    copyFile: async ({ body, who }) => files.copyLater(body, { root: body.toRoot ?? body.root, path: body.to }, who),
    deleteFile: ({ query, who, signal }) => files.delete(query, query.mode, query.recursive, who, signal),
    bin: async () => ({ binned: [...await files.bin()] }),
    restoreFile: ({ params, who }) => files.bringBack(params.id, who),
    emptyBin: async ({ query, who }) => ({ freedBytes: await files.clearBin(query.id, who) }),
  };
}

function uploads(files: Agent['files']): Pick<Mine, 'uploads' | 'beginUpload' | 'upload' | 'uploadPart' | 'finishUpload' | 'dropUpload'> {
  return {
    uploads: async () => ({ uploads: await files.uploads.list() }),
    beginUpload: ({ body, who }) => files.beginUpload(body, who),
    upload: ({ params }) => files.uploads.get(params.upload),
    uploadPart: ({ params, query, req, signal }) => files.uploads.add(params.upload, query.offset, req, signal),
    finishUpload: ({ params, who }) => files.finishUpload(params.upload, who),
    dropUpload: async ({ params }) => { await files.uploads.drop(params.upload); return { ok: true }; },
  };
}

function zips(files: Agent['files'], audit: Agent['audit']): Pick<Mine, 'zipFiles' | 'unzipFile'> {
  return {
    zipFiles: async ({ query, who, res, signal }) => {
      const { stream } = await files.zip(query, {}, signal);
      await audit(who, 'download zip', `${query.root}:${query.path}`, 'sent');
      res.attachment(`${query.path.split('/').at(-1) || query.root}.zip`);
      res.setHeader('content-type', 'application/zip');
      // A zip that breaks off must not look whole: the connection ends without its end.
      await pipeline(stream, res).catch(() => { res.destroy(); });
    },
    unzipFile: async ({ body, who }) => files.unpack(body, { root: body.root, path: body.to }, body.replace, who),
  };
}
