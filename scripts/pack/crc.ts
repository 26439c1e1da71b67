// Owns the checksum of zip files: CRC-32 as in the format's specification. Node has it from version 22 on.
const POLYNOMIAL = 0xedb88320;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

export function crc32(content: Buffer): number {
  let crc = 0xffffffff;
  for (let i = 0; i < content.length; i += 1) crc = (TABLE[(crc ^ (content[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
