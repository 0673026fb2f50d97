/** Runs each block of docs/reference/other-languages.md whose language is on this machine. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aDiscord } from '../discord/a-discord.ts'

interface Language {
  /** As the block is marked. */
  readonly name: string
  readonly file: string
  /** Programs that must be there, each with an argument with which it answers and ends well. */
  readonly needs: readonly (readonly [program: string, argument: string])[]
  readonly build?: (file: string) => readonly string[]
  readonly run: (file: string) => readonly string[]
  /** A process for each request: 500 of them take a minute. */
  readonly isSlow?: boolean
}

const dotnet: Language = {
  name: 'csharp',
  file: 'Program.cs',
  needs: [['dotnet', '--version']],
  build: (file) => ['dotnet', 'build', '-o', join(file, '../out'), resolve(file, '..')],
  run: (file) => ['dotnet', join(file, '../out/alerts.dll')],
}
const mono: Language = {
  name: 'csharp',
  file: 'Program.cs',
  needs: [
    ['mcs', '--version'],
    ['mono', '--version'],
  ],
  build: (file) => ['mcs', '-r:System.Net.Http', '-out:alerts.exe', file],
  run: (file) => ['mono', join(file, '../alerts.exe')],
}
const exe = process.platform === 'win32' ? '.exe' : ''
const languages: readonly Language[] = [
  { name: 'python', file: 'main.py', needs: [['python3', '--version']], run: (file) => ['python3', file] },
  { name: 'js', file: 'main.mjs', needs: [], run: (file) => [process.execPath, file] },
  { name: 'ts', file: 'main.mts', needs: [], run: (file) => [process.execPath, file] },
  {
    name: 'go',
    file: 'main.go',
    needs: [['go', 'version']],
    build: (file) => ['go', 'build', '-o', `${file}${exe}.out`, file],
    run: (file) => [`${file}${exe}.out`],
  },
  {
    name: 'rust',
    file: 'main.rs',
    needs: [
      ['rustc', '--version'],
      ['curl', '--version'],
    ],
    build: (file) => ['rustc', '--edition', '2021', '-o', `${file}${exe}.out`, file],
    run: (file) => [`${file}${exe}.out`],
    isSlow: true,
  },
  {
    name: 'bash',
    file: 'main.sh',
    needs: [
      ['bash', '--version'],
      ['curl', '--version'],
      ['jq', '--version'],
    ],
    run: (file) => ['bash', file],
    isSlow: true,
  },
  { name: 'php', file: 'main.php', needs: [['php', '--ri=curl']], run: (file) => ['php', file] },
  { name: 'ruby', file: 'main.rb', needs: [['ruby', '--version']], run: (file) => ['ruby', file] },
  {
    name: 'java',
    file: 'DiscordAlerts.java',
    needs: [['javac', '--version']],
    build: (file) => ['javac', file],
    run: (file) => ['java', '-cp', resolve(file, '..'), 'DiscordAlerts'],
  },
  missingFor(dotnet) === null ? dotnet : mono,
]

const csharpProject = `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType>
<TargetFramework>net8.0</TargetFramework><RollForward>Major</RollForward><AssemblyName>alerts</AssemblyName>
<Nullable>enable</Nullable><ImplicitUsings>enable</ImplicitUsings></PropertyGroup></Project>`

const page = readFileSync(resolve(import.meta.dirname, '../../docs/reference/other-languages.md'), 'utf8')
const blocks = new Map(
  [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, name, code]) => [name, code]),
)
const folder = mkdtempSync(join(tmpdir(), 'outhook-languages-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function missingFor({ needs }: Language): string | null {
  for (const [program, argument] of needs) {
    try {
      execFileSync(program, [argument], { stdio: 'ignore' })
    } catch {
      return program
    }
  }
  return null
}

function fileOf({ name, file }: Language): string {
  return join(folder, name, file)
}

function build(language: Language): void {
  const file = fileOf(language)
  mkdirSync(join(folder, language.name))
  writeFileSync(file, blocks.get(language.name) ?? '')
  if (language.name === 'csharp') writeFileSync(join(file, '../alerts.csproj'), csharpProject)
  const [program = '', ...args] = language.build?.(file) ?? []
  if (program !== '') execFileSync(program, args, { cwd: resolve(file, '..'), stdio: 'pipe' })
}

async function start(language: Language, url: string, lines: readonly string[]) {
  const [program = '', ...args] = language.run(fileOf(language))
  const env = { ...process.env, DISCORD_WEBHOOK: url, NODE_OPTIONS: '', TMPDIR: folder }
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  const printed: string[] = []
  const exit = once(child, 'exit')
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => printed.push(text))
  const dropped = (async () => {
    while (!printed.join('').includes('dropped')) await Promise.race([once(child.stderr, 'data'), exit])
  })()
  child.stdin.end(lines.map((line) => `${line}\n`).join(''))
  const end = async () => {
    const [code] = await exit
    return { code, printed: printed.join('') }
  }
  // With whatever it has started.
  const kill = () => {
    if (process.platform === 'win32') child.kill('SIGKILL')
    else process.kill(-(child.pid ?? 0), 'SIGKILL')
  }
  return { dropped, end, kill }
}

test('there is a block for each of the ten languages', () => {
  expect([...blocks.keys()].sort()).toEqual(languages.map(({ name }) => name).sort())
})

for (const language of languages) {
  const missing = missingFor(language)
  const title =
    missing === null ? language.name : `${language.name} (not run: ${missing} is not on this machine)`
  describe.skipIf(missing !== null)(title, () => {
    beforeAll(() => build(language), 120_000)

    test('posts in order, waits as told, gives up after five tries and at what is final', {
      timeout: 300_000,
    }, async () => {
      const discord = await aDiscord({ tellsLimits: false, bucket: { limit: 1000, perMs: 1000 } })
      const url = discord.createWebhook()
      const limited = (seconds: number) => ({
        status: 429,
        body: JSON.stringify({ retry_after: seconds, global: false }),
      })
      const accepted = { status: 204 }
      discord.script(
        ...[limited(0.3), accepted],
        ...Array(5).fill(limited(0.01)),
        ...[{ status: 503, body: 'no' }, accepted],
        ...[{ status: 404, body: '{"code":10015}' }],
        ...[{ status: 302, headers: { location: `${discord.url}/elsewhere` } }],
        ...[limited(99)],
      )
      const lines = [
        'waits',
        'given up',
        'is retried',
        'final',
        'redirected',
        'too long',
        '@everyone "quoted" \\ ü 😀',
      ]
      const program = await start(language, url, [...lines, 'x'.repeat(2100)])
      const { code, printed } = await program.end()
      expect(printed).toMatch(/dropped 0\s+sent 4, failed 4\s*$/)
      expect(code).toBe(0)
      const requests = discord.requests.map(({ payload, status }) => `${payload.content} ${status}`)
      expect(requests.slice(0, -1)).toEqual([
        'waits 429',
        'waits 204',
        ...Array(5).fill('given up 429'),
        'is retried 503',
        'is retried 204',
        'final 404',
        'redirected 302',
        'too long 429',
        `${lines.at(-1)} 204`,
      ])
      expect(discord.requests.at(-1)?.payload.content).toBe('x'.repeat(2000))
      const at = discord.requests.map((request) => request.at)
      expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(345)
      expect((at[8] ?? 0) - (at[7] ?? 0)).toBeGreaterThanOrEqual(950)
      expect(discord.requests.map(({ payload }) => payload.allowed_mentions)).toEqual(
        Array(at.length).fill({ parse: [] }),
      )
      expect(printed).not.toContain(url.split('/').at(-1))
    })

    test('keeps 500 waiting, drops the rest and delivers what it took', { timeout: 300_000 }, async () => {
      const discord = await aDiscord({ tellsLimits: false, bucket: { limit: 1000, perMs: 1 } })
      const url = discord.createWebhook()
      discord.hold()
      const lines = Array.from({ length: 600 }, (_, index) => String(index))
      const program = await start(language, url, lines)
      await program.dropped
      discord.release()
      // The one on its way has left the queue in most languages.
      if (language.isSlow) {
        await discord.until(() => discord.posted(url).length >= 5)
        program.kill()
      }
      const { printed } = await program.end()
      const dropped = Number(/dropped (\d+)/.exec(printed)?.[1])
      expect([99, 100]).toContain(dropped)
      const posted = discord.posted(url).map(({ content }) => Number(content))
      expect(posted).toEqual([...posted].sort((a, b) => a - b))
      if (language.isSlow) return
      expect(posted.length).toBe(600 - dropped)
      expect(printed).toContain(`sent ${600 - dropped}, failed 0`)
    })
  })
}
