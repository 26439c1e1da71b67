// Owns the names of Win32 errors, so that every failed call says what Windows said.

/** winerror.h: those that the calls of this folder can bring. Others are told by number. */
const NAMES: Readonly<Record<number, string>> = {
  2: 'ERROR_FILE_NOT_FOUND', 3: 'ERROR_PATH_NOT_FOUND', 5: 'ERROR_ACCESS_DENIED', 6: 'ERROR_INVALID_HANDLE', 8: 'ERROR_NOT_ENOUGH_MEMORY', 14: 'ERROR_OUTOFMEMORY',
  19: 'ERROR_WRITE_PROTECT', 21: 'ERROR_NOT_READY', 24: 'ERROR_BAD_LENGTH', 29: 'ERROR_WRITE_FAULT', 31: 'ERROR_GEN_FAILURE', 32: 'ERROR_SHARING_VIOLATION', 39: 'ERROR_HANDLE_DISK_FULL',
  50: 'ERROR_NOT_SUPPORTED', 53: 'ERROR_BAD_NETPATH', 64: 'ERROR_NETNAME_DELETED', 80: 'ERROR_FILE_EXISTS', 87: 'ERROR_INVALID_PARAMETER', 112: 'ERROR_DISK_FULL', 120: 'ERROR_CALL_NOT_IMPLEMENTED',
  122: 'ERROR_INSUFFICIENT_BUFFER', 126: 'ERROR_MOD_NOT_FOUND', 127: 'ERROR_PROC_NOT_FOUND', 170: 'ERROR_BUSY', 193: 'ERROR_BAD_EXE_FORMAT', 206: 'ERROR_FILENAME_EXCED_RANGE',
  299: 'ERROR_PARTIAL_COPY', 487: 'ERROR_INVALID_ADDRESS', 998: 'ERROR_NOACCESS', 1168: 'ERROR_NOT_FOUND', 1223: 'ERROR_CANCELLED', 1260: 'ERROR_ACCESS_DISABLED_BY_POLICY',
  1295: 'ERROR_DISK_QUOTA_EXCEEDED', 1314: 'ERROR_PRIVILEGE_NOT_HELD', 1332: 'ERROR_NONE_MAPPED', 1450: 'ERROR_NO_SYSTEM_RESOURCES', 1455: 'ERROR_COMMITMENT_LIMIT', 1460: 'ERROR_TIMEOUT', 1816: 'ERROR_NOT_ENOUGH_QUOTA',
};

/** OpenProcess says this of a pid that nobody has. */
export const INVALID_PARAMETER = 87;
/** How we tell of a function that this Windows does not have. */
export const PROC_NOT_FOUND = 127;

/** "ERROR_ACCESS_DENIED (5)"; an HRESULT that wraps a Win32 error (0x8007xxxx, as MiniDumpWriteDump gives) is told as that one. */
export function errorName(code: number): string {
  const unwrapped = (code & 0xffff_0000) >>> 0 === 0x8007_0000 ? code & 0xffff : code;
  const name = NAMES[unwrapped];
  const number = code >>> 0 > 0xffff ? `0x${(code >>> 0).toString(16)}` : String(code);
  return name === undefined ? `error ${number}` : `${name} (${number})`;
}

/** A call that Windows refused. */
export class Win32Error extends Error {
  readonly call: string;
  readonly win32: number;
  constructor(call: string, win32: number) {
    super(`${call}: ${errorName(win32)}`);
    this.name = 'Win32Error';
    this.call = call;
    this.win32 = win32;
  }
}
