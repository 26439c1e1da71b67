// Owns the types of the part of yauzl 3 that zips are unpacked by; the package brings none.
declare module 'yauzl' {
  import type { Readable } from 'node:stream';
  export interface Entry {
    readonly crc32: number;
    getLastModDate(): Date;
  }
  export class RandomAccessReader {
    _readStreamForRange(start: number, end: number): Readable;
    read(buffer: Buffer, offset: number, length: number, position: number, done: (error: Error | null, bytesRead?: number) => void): void;
    close(done: (error?: Error) => void): void;
  }
  export function fromRandomAccessReaderPromise(reader: RandomAccessReader, sizeBytes: number, options?: { autoClose?: boolean; decodeStrings?: boolean; strictFileNames?: boolean }): Promise<ZipFile>;
}
