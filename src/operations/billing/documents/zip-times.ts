/**
 * Sets the times in a ZIP archive to its epoch (1980-01-01), so that the same content gives the same bytes. Entries are found by the
 * central directory at the end (PKWARE APPNOTE 4.3).
 */
export function withoutTimes(archive: Buffer): Buffer {
  const fixed = Buffer.from(archive)
  const end = fixed.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'))
  if (end < 0) throw new Error('not a ZIP archive')
  let at = fixed.readUInt32LE(end + 16)
  for (let entry = 0; entry < fixed.readUInt16LE(end + 10); entry++) {
    setEpoch(fixed, at + 12)
    setEpoch(fixed, fixed.readUInt32LE(at + 42) + 10)
    at += 46 + fixed.readUInt16LE(at + 28) + fixed.readUInt16LE(at + 30) + fixed.readUInt16LE(at + 32)
  }
  return fixed
}

const FIRST_DAY = 0x21

function setEpoch(archive: Buffer, at: number): void {
  archive.writeUInt16LE(0, at)
  archive.writeUInt16LE(FIRST_DAY, at + 2)
}
