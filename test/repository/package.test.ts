import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const read = (name: string): string => readFileSync(join(root, name), 'utf8')
const manifest = JSON.parse(read('package.json'))

interface LockedPackage {
  readonly version?: string
  readonly resolved?: string
  readonly dev?: boolean
  readonly integrity?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}
const locked: Readonly<Record<string, LockedPackage>> = JSON.parse(read('package-lock.json')).packages

describe('package.json', () => {
  test('names the packages whose install scripts may run', () => {
    expect(manifest.allowScripts).toEqual({ node: true })
  })

  test('declares types before the code for each entry', () => {
    for (const [name, entry] of Object.entries(manifest.exports)) {
      if (name === './package.json') continue
      expect(Object.keys(entry as object), name).toEqual(['types', 'default'])
    }
  })

  test('every entry has a source file', () => {
    const targets = Object.values(manifest.exports).filter((entry) => typeof entry === 'object')
    for (const entry of targets as { default: string }[]) {
      const source = entry.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts')
      expect(existsSync(join(root, source)), source).toBe(true)
    }
  })

  test('its scripts use no syntax of one shell', () => {
    for (const [name, script] of Object.entries(manifest.scripts as Record<string, string>)) {
      expect(script.replaceAll('&&', ''), name).not.toMatch(/[;|&$`'*<>]|^\w+=/)
    }
  })

  test('scripts that need the dependencies set them up first', () => {
    const own = Object.keys(manifest.scripts).filter((name) => !name.startsWith('pre'))
    for (const name of own) expect(manifest.scripts[`pre${name}`], name).toMatch(/^node scripts\/setup\.mjs/)
  })

  test('the bin is a file that starts with a Node shebang', () => {
    expect(read(manifest.bin.outhook)).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  test.skipIf(process.platform === 'win32')('the bin and the gate are executable', () => {
    for (const name of [manifest.bin.outhook, '.ci/run']) {
      expect(statSync(join(root, name)).mode & 0o111, name).not.toBe(0)
    }
  })
})

describe('what "npm install outhook" brings', () => {
  test('at most 45 packages, itself included', () => {
    const installed = Object.entries(locked).filter(([name, { dev }]) => name !== '' && dev !== true)
    expect(installed.length).toBeGreaterThan(5)
    expect(installed.length + 1).toBeLessThanOrEqual(45)
  })
})

describe('publishing', () => {
  /** A checkout whose `origin` is the given one (null: none), with the project's `package.json` but for some fields. */
  const run = (fields: object, origin: string | null) => {
    const checkout = mkdtempSync(join(tmpdir(), 'outhook-checkout-'))
    onTestFinished(() => rmSync(checkout, { recursive: true }))
    writeFileSync(join(checkout, 'package.json'), JSON.stringify({ ...manifest, ...fields }))
    spawnSync('git', ['init', '--quiet'], { cwd: checkout })
    if (origin !== null) spawnSync('git', ['remote', 'add', 'origin', origin], { cwd: checkout })
    const script = join(root, 'scripts', 'check-publishable.mjs')
    return spawnSync(process.execPath, [script, checkout], { encoding: 'utf8' })
  }
  const home = 'https://github.com/outhook/outhook'

  test('says where the project lives', () => {
    expect(manifest).toMatchObject({
      repository: { type: 'git', url: `git+${home}.git` },
      homepage: `${home}#readme`,
      bugs: { url: `${home}/issues` },
    })
    expect(read('SECURITY.md')).toContain(`<${home}/security>`)
    expect(manifest.scripts.prepublishOnly).toBe('node scripts/check-publishable.mjs')
  })

  test.each([
    home,
    `${home}.git`,
    'https://somebody:secret@github.com/outhook/outhook.git',
    'git@github.com:outhook/outhook.git',
    'ssh://git@github.com/outhook/outhook',
    'ssh://git@github.com:22/Outhook/outhook.git',
  ])('goes on in a checkout of that repository: %s', (origin) => {
    expect(run({}, origin)).toMatchObject({ status: 0, stderr: '' })
  })

  test.each([
    null,
    '/srv/outhook',
    '../outhook',
    'https://github.com/somebody/outhook.git',
    'https://github.com/outhook/outhook-fork',
    'https://github.com.example.com/outhook/outhook',
    'https://github.com@example.com/outhook/outhook',
    'https://example.com/github.com/outhook/outhook',
    'git@example.com:outhook/outhook.git',
  ])('is refused in a checkout of any other, and says why: %s', (origin) => {
    const { status, stderr } = run({}, origin)
    expect(status).toBe(1)
    expect(stderr).toContain('would lead its users to a stranger')
    expect(stderr.split('\n')).toHaveLength(2)
  })

  test('tells no password of an address', () => {
    const { status, stderr } = run({}, 'https://somebody:secret@example.com/a/b')
    expect(status).toBe(1)
    expect(stderr).toContain('says https://example.com/a/b')
    expect(stderr).not.toContain('secret')
  })

  test('is refused while package.json does not say where the project lives, or names two places', () => {
    for (const name of ['repository', 'homepage', 'bugs']) {
      const { status, stderr } = run({ [name]: undefined }, home)
      expect(status, name).toBe(1)
      expect(stderr).toContain(`"${name}"`)
    }
    const { status, stderr } = run({ bugs: { url: 'https://github.com/somebody/else/issues' } }, home)
    expect(status).toBe(1)
    expect(stderr).toContain('"bugs" of package.json')
  })
})

describe('package-lock.json', () => {
  test('carries no addresses of a registry', () => {
    expect(Object.entries(locked).filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
  })

  test('has the hash of every package', () => {
    const bare = Object.entries(locked).filter(
      ([name, { integrity }]) => name !== '' && integrity === undefined,
    )
    expect(bare.map(([name]) => name)).toEqual([])
  })

  test('is in step with package.json', () => {
    expect(locked['']?.dependencies).toEqual(manifest.dependencies)
    expect(locked['']?.devDependencies).toEqual(manifest.devDependencies)
  })

  test('holds every platform of the packages that ship binaries, or "npm ci" refuses it', () => {
    const missing = Object.entries(locked).flatMap(([, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !Object.keys(locked).some((path) => path.endsWith(`node_modules/${name}`)),
      ),
    )
    expect(missing).toEqual([])
  })
})
