/** A program that gave no logger hears all the same what would be lost in silence. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { patienceMs } from '../patience.ts'

async function openOn(path: string) {
  const warnings: Error[] = []
  const listen = (warning: Error): void => void warnings.push(warning)
  process.on('warning', listen)
  const hooks = await Outhook.open({ store: `sqlite:${path}` })
  onTestFinished(async () => {
    await hooks.close()
    process.off('warning', listen)
  })
  return { hooks, warnings }
}

test('a database file that is deleted under a library without a logger is a warning of the process, once', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'outhook-library-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'hooks.db')
  const { hooks, warnings } = await openOn(path)
  await hooks.publish({ topic: 'a', payload: 1 })
  rmSync(path)
  const told = () => warnings.filter(({ name }) => name === 'OuthookWarning')
  await vi.waitFor(() => expect(told()).toHaveLength(1), { timeout: patienceMs })
  expect(told()[0]?.message).toContain(`${path} was deleted or moved while this process has it open`)
  expect(told()[0]?.message).toContain('rescue it with "outhook backup FILE')
  await expect(hooks.publish({ topic: 'a', payload: 2 })).rejects.toMatchObject({
    code: 'store_unavailable',
    fault: 'moved',
  })
  expect(told()).toHaveLength(1)
})

test('a second argument of rotateSecret that is no object of its members is refused, and rotates nothing', async () => {
  const hooks = await Outhook.open({ store: 'memory:', allowHttp: true })
  onTestFinished(() => hooks.close())
  const { endpoint } = await hooks.endpoints.create({ url: 'https://hooks.example/in', topics: ['a'] })
  const { id } = endpoint
  for (const wrong of [[], null, 'graceMs', 5, true, { grace: 5 }, { graceMs: '5' }]) {
    await expect(
      hooks.endpoints.rotateSecret(id, wrong as never),
      JSON.stringify(wrong),
    ).rejects.toMatchObject({
      code: 'unprocessable',
    })
  }
  const { secret } = await hooks.endpoints.rotateSecret(id, { graceMs: 0 })
  expect(secret).toMatch(/^whsec_/)
  for (const wrong of [[], null, 'a']) {
    await expect(hooks.endpoints.update(id, wrong as never)).rejects.toMatchObject({ code: 'unprocessable' })
  }
})
