import * as fs from 'node:fs'

type Callback = (error: Error | null) => void

/** The few calls that can find the disk broken. Tests pass a disk that fails, tears or stalls at will. */
export interface Disk {
  /** Opens an existing file so that a write returns only when its data is on stable storage. */
  open(path: string): number
  close(fd: number): void
  /** Writes `length` bytes from `offset` durably, then calls back; on error an unknown part may have been written. */
  write(fd: number, bytes: Buffer, offset: number, length: number, position: number, done: Callback): void
}

/**
 * One write to a file opened with `O_DSYNC` is one trip through the thread pool; write + fdatasync are two. The file has been
 * filled with zeros before, so a write changes no metadata and the file system's own journal stays out of it.
 */
export const realDisk: Disk = {
  open: (path) => fs.openSync(path, fs.constants.O_RDWR | (fs.constants.O_DSYNC ?? fs.constants.O_SYNC)),
  close: (fd) => fs.closeSync(fd),
  write: (fd, bytes, offset, length, position, done) => writeAll(fd, bytes, offset, offset + length, position, done),
}

function writeAll(fd: number, bytes: Buffer, from: number, to: number, position: number, done: Callback): void {
  fs.write(fd, bytes, from, to - from, position, (error, written) => {
    if (error) done(error)
    else if (written === 0) done(new Error('the disk took no bytes'))
    else if (from + written < to) writeAll(fd, bytes, from + written, to, position + written, done)
    else done(null)
  })
}
