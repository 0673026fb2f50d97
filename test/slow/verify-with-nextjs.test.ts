/** `examples/verify-with-nextjs` in Next.js, built and started as its users do: a route of the App Router and one of `pages/api`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { otherSecret, secret, signed } from '../verify/a-signed-request.ts'
import { createNpmFolder, type NpmFolder } from './npm-folder.ts'

const root = resolve(import.meta.dirname, '../..')
let npm: NpmFolder

beforeAll(async () => {
  npm = await createNpmFolder([
    'next@16.4.6',
    'react@19',
    'react-dom@19',
    'typescript@5.9',
    '@types/node@24',
    '@types/react@19',
  ])
}, 400_000)
afterAll(() => npm.remove())

/** The built package, copied: a bundler follows no link out of its project. */
function installPackage(): void {
  const target = join(npm.path, 'node_modules', 'outhook')
  mkdirSync(target)
  cpSync(join(root, 'package.json'), join(target, 'package.json'))
  cpSync(join(root, 'dist', 'verify'), join(target, 'dist', 'verify'), { recursive: true })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

test('Next.js verifies webhooks in both routers, and was built without the secret', {
  timeout: 600_000,
}, async ({ skip }) => {
  if (npm.missing !== null) return skip(`not run: ${npm.missing}`)
  installPackage()
  cpSync(join(root, 'examples', 'verify-with-nextjs'), npm.path, { recursive: true })
  writeFileSync(join(npm.path, 'next.config.js'), 'export default {}\n')
  await npm.run('next', ['build'])
  const port = await freePort()
  const child = spawn(
    process.execPath,
    ['node_modules/next/dist/bin/next', 'start', '-p', String(port), '-H', '127.0.0.1'],
    {
      cwd: npm.path,
      env: { ...process.env, WEBHOOK_SECRET: secret, NEXT_TELEMETRY_DISABLED: '1' },
      stdio: 'ignore',
    },
  )
  const url = `http://127.0.0.1:${port}`
  try {
    await expect
      .poll(() =>
        fetch(`${url}/none`).then(
          (answer) => answer.status,
          () => 0,
        ),
      )
      .toBe(404)
    const text = '{ "name":"José 😀" }'
    for (const path of ['/webhooks', '/api/webhooks']) {
      for (const [signedWith, expected] of [
        [secret, [200, { received: 'msg_p5jXN8AQM9LWM0D4loKWxJek', event: { name: 'José 😀' } }]],
        [otherSecret, [401, { error: 'no_match' }]],
      ] as const) {
        const { headers, body } = signed('standard', [signedWith], text, Math.floor(Date.now() / 1000))
        const answer = await fetch(url + path, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: body as Uint8Array<ArrayBuffer>,
        })
        expect([answer.status, await answer.json()], path).toEqual(expected)
      }
    }
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})
