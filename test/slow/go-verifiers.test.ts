/** The packages that receivers in Go verify with, on a delivery that a receiver captured. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { startReceiver } from '../../src/testing/receiver.ts'
import { aDirectory } from './server-process.ts'

const run = promisify(execFile)

/** The program, or why there is none. */
async function build(folder: string): Promise<{ readonly program: string } | { readonly missing: string }> {
  try {
    await run('go', ['version'])
  } catch {
    return { missing: 'Go is not on this machine' }
  }
  cpSync(resolve(import.meta.dirname, 'go'), folder, { recursive: true })
  try {
    await run('go', ['mod', 'download'], { cwd: folder, timeout: 120_000 })
  } catch {
    return { missing: 'the modules cannot be had from the module index' }
  }
  const program = join(folder, process.platform === 'win32' ? 'verify.exe' : 'verify.out')
  await run('go', ['build', '-o', program, '.'], { cwd: folder, timeout: 240_000 })
  return { program }
}

test('standard-webhooks and svix of Go verify a delivery, and not another body', {
  timeout: 400_000,
}, async ({ skip }) => {
  const built = await build(aDirectory())
  if ('missing' in built) return skip(`not run: ${built.missing}`)
  const receiver = await startReceiver()
  const hooks = await Outhook.open({ store: 'memory:', allowHttp: true, allowNetworks: ['127.0.0.0/8'] })
  try {
    const { secret } = await hooks.endpoints.create({ url: receiver.url, topics: ['*'] })
    await hooks.publish({ topic: 'go.test', payload: { name: 'José 😀' } })
    const [request] = await receiver.waitFor(1, 60_000)
    const child = spawn(built.program)
    const body = Buffer.from(request?.body ?? [])
    const bodies = [body, Buffer.concat([body, Buffer.from('\n')])].map((one) => one.toString('base64'))
    child.stdin.end(JSON.stringify({ secret, headers: request?.headers, bodies }))
    const [out] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect(out.trim().split('\n')).toEqual(['true', 'false', 'true', 'false'])
  } finally {
    await hooks.close()
    await receiver.close()
  }
})
