/**
 * Standard output and standard error of the command line. Whoever read them may have gone (EPIPE, as after `head`),
 * the terminal may be closed (EIO) or the disk that keeps them full: that costs what was to be printed and nothing
 * else. A reader that stands still costs no memory without end either.
 */
import type { Writable } from 'node:stream'

/** Of lines that a running server has printed and nobody has read. */
export const maxUnreadBytes = 1024 * 1024

export interface Output {
  /** Kept until it is read, however long that takes. */
  print(text: string | Uint8Array): void
  /** Dropped while too much waits to be read. The line that says how many were dropped comes with the next one. */
  printLog(line: string): void
}

export function createOutput(stream: Writable): Output {
  let dropped = 0
  // A listener for good: each write to such a stream fails anew.
  stream.on('error', () => undefined)
  const print = (text: string | Uint8Array): void => {
    try {
      stream.write(text)
    } catch {
      // As above: some streams throw.
    }
  }
  return {
    print,
    printLog(line) {
      if (stream.writableLength > maxUnreadBytes) {
        dropped++
        return
      }
      if (dropped > 0) print(`${droppedLine(dropped)}\n`)
      dropped = 0
      print(`${line}\n`)
    },
  }
}

/** JSON, because a program may read the log; people can read it too. */
function droppedLine(lines: number): string {
  return JSON.stringify({
    level: 'warn',
    dropped: lines,
    message: 'lines were dropped: nobody read the output',
  })
}
