// Owns the calls that the walk over all routes makes of those of files: one good, and bad ones.
import type { fileRoutes } from '../../src/shared/files.ts';

type Sent = { params?: object; query?: object; body?: object };
type Calls = { readonly [N in keyof typeof fileRoutes]: () => { good: Sent; status?: number; bad: readonly [Sent, number, string][] } };

const UP = '../up';
const NOTHING = 'no/such.txt';
const upload = { path: 'walk/up.bin', sizeBytes: 0 };
const OTHER = '0123456789abcdef';

/** What only an earlier answer could name is not there: that these do what they should is shown in files.test.ts. */
const later = { undo: 'lc0zq1ab-01234567', upload: OTHER, use: 'files-000000000000' };

/** In this order: each finds what those before it made. */
export const fileCalls: Calls = {
  fileRoots: () => ({ good: {}, bad: [] }),
  files: () => ({ good: { query: { limit: 5 } }, bad: [[{ query: { limit: 0 } }, 400, 'BAD_INPUT'], [{ query: { root: 'other' } }, 404, 'ROOT_UNKNOWN'], [{ query: { path: UP } }, 400, 'PATH_REFUSED'], [{ query: { path: NOTHING } }, 404, 'FILE_UNKNOWN']] }),
  makeFolder: () => ({ good: { body: { path: 'walk' } }, bad: [[{ body: { path: '' } }, 400, 'BAD_INPUT'], [{ body: { path: 'data' } }, 409, 'FILE_EXISTS'], [{ body: { path: 'data/DaaS/diag/x' } }, 403, 'FILE_PRIVATE']] }),
  saveFile: () => ({ good: { body: { path: 'walk/a.txt', text: 'a' } }, bad: [[{ body: { path: 'walk', text: 'a' } }, 409, 'FILE_KIND'], [{ body: { path: 'walk/none.txt', text: 'a', etag: '"1"' } }, 412, 'FILE_CHANGED'], [{ body: { path: 'walk/x' } }, 400, 'BAD_INPUT']] }),
  fileWindow: () => ({ good: { query: { path: 'walk/a.txt' } }, bad: [[{ query: { path: 'walk' } }, 409, 'FILE_KIND'], [{ query: { path: 'walk/a.txt', length: 0 } }, 400, 'BAD_INPUT']] }),
  searchFile: () => ({ good: { query: { path: 'walk/a.txt', text: 'a' } }, bad: [[{ query: { path: 'walk/a.txt', text: '' } }, 400, 'BAD_INPUT']] }),
  fileContent: () => ({ good: { query: { path: 'walk/a.txt' } }, bad: [[{ query: { path: 'data/DaaS/diag/token' } }, 403, 'FILE_PRIVATE'], [{ query: { path: UP } }, 400, 'PATH_REFUSED']] }),
  moveFile: () => ({ good: { body: { path: 'walk/a.txt', to: 'walk/b.txt' } }, bad: [[{ body: { path: 'walk', to: 'walk/in' } }, 400, 'PATH_REFUSED'], [{ body: { path: NOTHING, to: 'walk/x' } }, 404, 'FILE_UNKNOWN']] }),
  copyFile: () => ({ good: { body: { path: 'walk/b.txt', to: 'walk/c.txt' } }, status: 202, bad: [[{ body: { path: 'walk/b.txt' } }, 400, 'BAD_INPUT']] }),
  zipFiles: () => ({ good: { query: { path: 'walk' } }, bad: [[{ query: { path: NOTHING } }, 404, 'FILE_UNKNOWN']] }),
  unzipFile: () => ({ good: { body: { path: 'walk/b.txt', to: 'walk' } }, status: 202, bad: [[{ body: { path: 'walk/b.txt' } }, 400, 'BAD_INPUT']] }),
  deleteFile: () => ({ good: { query: { path: 'walk/b.txt' } }, bad: [[{ query: { path: 'data', recursive: true } }, 403, 'FILE_PRIVATE'], [{ query: { path: 'walk', mode: 'forever' } }, 409, 'FOLDER_NOT_EMPTY']] }),
  bin: () => ({ good: {}, bad: [] }),
  restoreFile: () => ({ good: { params: { id: later.undo } }, status: 404, bad: [[{ params: { id: 'x' } }, 404, 'UNDO_UNKNOWN']] }),
  emptyBin: () => ({ good: {}, bad: [[{ query: { id: 'x' } }, 404, 'UNDO_UNKNOWN']] }),
  measureUse: () => ({ good: { body: { path: 'walk' } }, status: 202, bad: [[{ body: { path: 5 } }, 400, 'BAD_INPUT']] }),
  diskUse: () => ({ good: { params: { operation: later.use } }, status: 404, bad: [[{ params: { operation: 'none' } }, 404, 'OPERATION_UNKNOWN']] }),
  beginUpload: () => ({ good: { body: upload }, bad: [[{ body: { path: 'walk/x' } }, 400, 'BAD_INPUT'], [{ body: { path: 'walk/x', sizeBytes: 2 ** 52 } }, 507, 'NO_ROOM']] }),
  uploads: () => ({ good: {}, bad: [] }),
  upload: () => ({ good: { params: { upload: later.upload } }, status: 404, bad: [[{ params: { upload: UP } }, 400, 'BAD_INPUT']] }),
  uploadPart: () => ({ good: { params: { upload: later.upload }, query: { offset: 0 } }, status: 404, bad: [[{ params: { upload: OTHER } }, 400, 'BAD_INPUT']] }),
  finishUpload: () => ({ good: { params: { upload: later.upload } }, status: 404, bad: [[{ params: { upload: 'x' } }, 400, 'BAD_INPUT']] }),
  dropUpload: () => ({ good: { params: { upload: later.upload } }, status: 404, bad: [[{ params: { upload: 'x' } }, 400, 'BAD_INPUT']] }),
};
