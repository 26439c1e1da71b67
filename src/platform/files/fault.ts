// Owns the words for what a file system refuses: every code of the system as an error of ours that names the path as its user wrote it.
import { DiagError, type ErrorCode } from '../../shared/errors.ts';
import { codeIn } from '../rename.ts';

const WORDS: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'FILE_UNKNOWN', ENOTDIR: 'FILE_KIND', EISDIR: 'FILE_KIND', ELOOP: 'PATH_LINK', EEXIST: 'FILE_EXISTS', ENOTEMPTY: 'FOLDER_NOT_EMPTY',
  EACCES: 'FILE_DENIED', EPERM: 'FILE_DENIED', EBUSY: 'FILE_BUSY', ETXTBSY: 'FILE_BUSY', EROFS: 'FILES_READ_ONLY', ENOSPC: 'FILES_FULL', EDQUOT: 'FILES_FULL', EFBIG: 'FILES_FULL',
  ENAMETOOLONG: 'PATH_REFUSED', EINVAL: 'PATH_REFUSED',
};

/** The error of ours for what the system said; unforeseen ones stay as they are. */
export function faultOf(error: unknown, path: string): unknown {
  if (error instanceof DiagError || !(error instanceof Error)) return error;
  const code = codeIn(error);
  const word = WORDS[code];
  if (word === undefined) return error;
  return new DiagError(word, { path: path === '' ? 'this folder' : path, why: whyOf(code), wanted: code === 'EISDIR' ? 'a file' : 'a folder' }, { cause: error });
}

function whyOf(code: string): string {
  if (code === 'ENAMETOOLONG') return 'the disk says that it is too long';
  if (code === 'EINVAL') return 'the disk does not take such a name';
  return code;
}

/** Runs work on a path and says its faults in our words. */
export async function saying<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw faultOf(error, path);
  }
}
