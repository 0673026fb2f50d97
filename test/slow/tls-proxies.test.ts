/** The recipes of docs/operations/tls.md, with a certificate and ports of their own. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { aDirectory, adminToken, startServer } from './server-process.ts'

const root = resolve(import.meta.dirname, '../..')
const tls = join(root, 'test/fixtures/tls')
const page = readFileSync(join(root, 'docs/operations/tls.md'), 'utf8')
const isThere = (program: string) => spawnSync(program, ['--help']).error === undefined

function recipe(language: string): string {
  return new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? ''
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}

/** Fails where a recipe no longer holds what is replaced. */
function replace(recipeText: string, replacements: readonly (readonly [string, string])[]): string {
  return replacements.reduce((text, [from, to]) => {
    expect(text).toContain(from)
    return text.replace(from, to)
  }, recipeText)
}

interface Asked {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

function ask(port: number, path: string, body?: string): Promise<Asked> {
  return new Promise((told, failed) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path,
        servername: 'localhost',
        ca: readFileSync(join(tls, 'ca.pem')),
        method: body === undefined ? 'GET' : 'POST',
        headers: { host: 'localhost', authorization: `Bearer ${adminToken}` },
        agent: false,
      },
      (answer) => {
        readText(answer).then(
          (received) => told({ status: answer.statusCode ?? 0, headers: answer.headers, body: received }),
          failed,
        )
      },
    )
    sent.on('error', failed).end(body)
  })
}

function startProxy(command: string, args: readonly string[], home: string): void {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: home },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') process.stdout.write(output)
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  })
}

async function expectItPassesThrough(port: number): Promise<void> {
  await expect
    .poll(() =>
      ask(port, '/readyz').then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(200)
  const event = JSON.stringify({ topic: 'a', payload: { text: 'ä'.repeat(100_000) } })
  const published = await ask(port, '/v1/events', event)
  expect(published.status).toBe(202)
  const { id } = JSON.parse(published.body)
  expect((await ask(port, `/v1/events/${id}/payload`)).body).toBe(
    JSON.stringify({ text: 'ä'.repeat(100_000) }),
  )
  // A batch of nearly 4 MiB goes through, and what is beyond every bound is refused by one of the two.
  const events = Array.from({ length: 18 }, () => ({ topic: 'a', payload: 'x'.repeat(225_000) }))
  expect((await ask(port, '/v1/events/batch', JSON.stringify({ events }))).status).toBe(200)
  const wrong = await ask(port, '/v1/nowhere')
  expect([wrong.status, wrong.headers['content-type']]).toEqual([404, 'application/problem+json'])
  expect(wrong.headers['x-content-type-options']).toBe('nosniff')
  expect((await ask(port, '/metrics')).status).toBe(404)
}

async function aBackend() {
  const folder = aDirectory()
  mkdirSync(join(folder, 'home'))
  const { url } = await startServer({ database: join(folder, 'hooks.db') })
  return { folder, home: join(folder, 'home'), backend: url.replace('http://', ''), port: await freePort() }
}

describe('TLS in front', () => {
  test.skipIf(!isThere('nginx'))(
    'nginx passes requests on as the recipe says (skipped without nginx)',
    async () => {
      const { folder, home, backend, port } = await aBackend()
      const server = replace(recipe('nginx'), [
        ['127.0.0.1:8080', backend],
        ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
        ['/etc/ssl/hooks.pem', join(tls, 'server.pem')],
        ['/etc/ssl/hooks.key', join(tls, 'server-key.pem')],
      ])
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${join(folder, name)};`,
      )
      const file = join(folder, 'nginx.conf')
      writeFileSync(
        file,
        // As root its workers would be somebody else, who may not write to this test's folder.
        `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; pid ${join(folder, 'pid')}; error_log stderr;
       events {} http { access_log off; ${paths.join(' ')} ${server} }`,
      )
      startProxy('nginx', ['-c', file, '-p', folder, '-e', 'stderr'], home)
      await expectItPassesThrough(port)
    },
  )

  test.skipIf(!isThere('caddy'))(
    'Caddy passes requests on as the recipe says (skipped without Caddy)',
    async () => {
      const { folder, home, backend, port } = await aBackend()
      const site = replace(recipe('caddy'), [
        [
          'hooks.example.com {',
          `{\n admin off\n auto_https disable_redirects\n}\nhttps://localhost:${port} {\n tls ${join(tls, 'server.pem')} ${join(tls, 'server-key.pem')}\n`,
        ],
        ['127.0.0.1:8080', backend],
      ])
      const file = join(folder, 'Caddyfile')
      writeFileSync(file, site)
      startProxy('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], home)
      await expectItPassesThrough(port)
    },
  )

  test('Traefik’s file names routers and services that there are', () => {
    const { http } = parse(recipe('yaml'))
    expect(Object.keys(http.services)).toContain(http.routers.outhook.service)
    expect(http.routers.outhook.rule).toContain('!Path(`/metrics`)')
    expect(http.services.outhook.loadBalancer.servers).toEqual([{ url: 'http://127.0.0.1:8080' }])
  })
})
