import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { createOutput, maxUnreadBytes } from '../../src/cli/output.ts'

/** A stream whose reader reads when it is told to. */
function aStream() {
  const pending: (() => void)[] = []
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      pending.push(done)
    },
  })
  const read = (): void => {
    for (let done = pending.shift(); done !== undefined; done = pending.shift()) done()
  }
  return { stream, read, text: () => text }
}

test('lines of a log that nobody reads are dropped and counted, and the next one that is read says so', async () => {
  const { stream, read, text } = aStream()
  const output = createOutput(stream)
  const line = 'x'.repeat(1023)
  const kept = maxUnreadBytes / 1024 + 1
  for (let n = 0; n < kept + 7; n++) output.printLog(line)
  expect(stream.writableLength).toBe(kept * 1024)
  while (stream.writableLength > 0) {
    read()
    await new Promise(setImmediate)
  }
  output.printLog('last')
  while (stream.writableLength > 0) {
    read()
    await new Promise(setImmediate)
  }
  const lines = text().trimEnd().split('\n')
  expect(lines).toHaveLength(kept + 2)
  expect(JSON.parse(lines.at(-2) ?? '')).toMatchObject({ level: 'warn', dropped: 7 })
  expect(lines.at(-1)).toBe('last')
})

test('what a short command prints is kept, however much it is', () => {
  const { stream } = aStream()
  const output = createOutput(stream)
  for (let n = 0; n < 3; n++) output.print('x'.repeat(maxUnreadBytes))
  expect(stream.writableLength).toBe(3 * maxUnreadBytes)
})

test.each(['EPIPE', 'EIO', 'ENOSPC'])(
  'a stream that fails with %s, at once or later, costs what is printed',
  async (code) => {
    const failure = () => Object.assign(new Error(code), { code })
    const later = new Writable({
      autoDestroy: false,
      write: (_chunk, _encoding, done) => setImmediate(done, failure()),
    })
    const atOnce = new Writable({
      write() {
        throw failure()
      },
    })
    for (const stream of [later, atOnce]) {
      const output = createOutput(stream)
      output.print('a')
      output.printLog('b')
      await new Promise(setImmediate)
      output.print('c')
      await new Promise(setImmediate)
    }
  },
)
