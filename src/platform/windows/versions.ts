// Owns the version that a program file on Windows says of itself: its fixed version resource, read from the file without loading it.
import type { Handle } from './win32.ts';

type Native = (...args: readonly (Handle | string | Buffer | null)[]) => number;

/** The language-neutral part alone: no file of a language is opened for it. */
const NEUTRAL = 0x02;
/** A resource of a usual file has 1 to 4 KB. */
const MAX_RESOURCE_BYTES = 1024 * 1024;
/** VS_VERSION_INFO: three words, its name in UTF-16, padding; then VS_FIXEDFILEINFO with this signature. */
const FIXED_AT = 40;
const FIXED_BYTES = 52;
const SIGNATURE = 0xfeef_04bd;
/** Files remembered; a process has some 50 to 200, and those of Windows are the same in all. */
const KEPT = 2_000;

/** Calls are bound at the first question: most agents are never asked. */
export function versionReader(native: (library: string, prototype: string) => Native): (path: string) => string | undefined {
  const kept = new Map<string, string | undefined>();
  let calls: { readonly size: Native; readonly read: Native } | undefined;
  return (path) => {
    if (kept.has(path)) return kept.get(path);
    calls ??= {
      size: native('version.dll', 'uint32 GetFileVersionInfoSizeExW(uint32 flags, str16 name, void* handle)'),
      read: native('version.dll', 'int GetFileVersionInfoExW(uint32 flags, str16 name, uint32 handle, uint32 size, void* into)'),
    };
    const bytes = calls.size(NEUTRAL, path, Buffer.alloc(4));
    const resource = Buffer.alloc(bytes > MAX_RESOURCE_BYTES ? 0 : bytes);
    // 0 is a file without such a resource, one that is gone, or one that we may not read: then there is no version to tell.
    const version = resource.length > 0 && calls.read(NEUTRAL, path, 0, resource.length, resource) !== 0 ? versionOf(resource) : undefined;
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value as string);
    kept.set(path, version);
    return version;
  };
}

/** "10.0.20348.1" from VS_VERSION_INFO; undefined where it has no fixed part. */
export function versionOf(resource: Buffer): string | undefined {
  if (resource.length < FIXED_AT + FIXED_BYTES || resource.readUInt32LE(FIXED_AT) !== SIGNATURE) return undefined;
  const [high, low] = [resource.readUInt32LE(FIXED_AT + 8), resource.readUInt32LE(FIXED_AT + 12)];
  return [high >>> 16, high & 0xffff, low >>> 16, low & 0xffff].join('.');
}
