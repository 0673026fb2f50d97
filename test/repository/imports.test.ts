import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const src = join(root, 'src')

/**
 * Which folder may import which, not transitively. A change here is a change of the design: ARCHITECTURE.md has
 * the picture. Besides these, `mayImportCore` folders import `core`, and each folder itself.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  // How signed messages are written is told once, where verifiers take it without anything else.
  core: ['verify/forms'],
  client: [],
  verify: ['verify/forms'],
  'verify/forms': [],
  'store/port': [],
  'sender/port': [],
  store: ['store/port'],
  'store/sqlite': ['store', 'store/port'],
  'store/postgres': ['store', 'store/port'],
  sender: ['sender/port'],
  discord: ['sender', 'sender/port'],
  alerts: ['discord', 'sender', 'sender/port'],
  testing: ['sender', 'sender/port', 'verify/forms'],
  observability: ['bundled'],
  // What the build puts into one file: each of these passes on a library that is not installed with the package.
  bundled: [],
  config: [],
  'destinations/port': ['store/port', 'sender/port'],
  // The list of kinds, and a folder for each, which nobody else looks into.
  destinations: ['destinations/port', 'destinations/http', 'destinations/discord', 'destinations/slack'],
  'destinations/http': ['destinations/over-http', 'destinations/port', 'store/port', 'sender/port'],
  'destinations/discord': [
    'destinations/messages',
    'destinations/over-http',
    'destinations/port',
    'discord',
    'sender',
    'sender/port',
    'store/port',
  ],
  'destinations/slack': [
    'destinations/messages',
    'destinations/over-http',
    'destinations/port',
    'sender/port',
    'store/port',
  ],
  // What kinds share: over HTTP, and out of an event a message.
  'destinations/over-http': ['destinations/port', 'sender/port', 'store/port'],
  'destinations/messages': ['store/port'],
  delivery: ['destinations', 'destinations/port', 'store/port', 'sender/port'],
  // Schemas of payloads. What compiles them is loaded where there is one.
  'payload-schemas': ['bundled'],
  engine: ['delivery', 'destinations', 'destinations/port', 'payload-schemas', 'store/port', 'sender/port'],
  'api/schemas': ['bundled', 'destinations'],
  api: ['api/schemas', 'engine', 'bundled'],
  dashboard: ['client'],
  cli: ['app', 'client', 'config', 'testing', 'verify', 'bundled'],
  app: ['*'],
  index: ['*'],
}
const withoutCore = ['client', 'verify', 'verify/forms', 'dashboard', 'bundled']

/** Files at the top of `src/` that belong to the composition root or the public library surface. */
const topLevel: Readonly<Record<string, string>> = {
  app: 'app',
  'create-access': 'app',
  'create-credentials': 'app',
  'create-delivery': 'app',
  'create-endpoints': 'app',
  'create-figures': 'app',
  'create-master-keys': 'app',
  'create-outbox-relays': 'app',
  'create-relay': 'app',
  'create-system': 'app',
  server: 'app',
  'count-activity': 'app',
  'log-attempt': 'app',
  'trace-parts': 'app',
  'show-store': 'app',
  'listen-to-cluster': 'app',
  'store-upkeep': 'app',
  'remove-expired': 'app',
  'migrate-store': 'app',
  'wait-for-postgres': 'app',
  'open-secret-box': 'app',
  'open-store': 'app',
  index: 'index',
  outhook: 'index',
  'outhook-events': 'index',
  'tenant-hooks': 'index',
  'publish-input': 'index',
  'send-input': 'index',
  'stream-items': 'index',
  'publish-into': 'index',
  version: 'core',
  'required-node': 'core',
}

interface SourceFile {
  /** From `src/`, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
}

const files: readonly SourceFile[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((name) => name.split(sep).join(posix.sep))
  .filter((name) => /\.tsx?$/.test(name))
  .sort()
  .map((path) => readSource(path))

function readSource(path: string): SourceFile {
  const text = readFileSync(join(src, path), 'utf8')
  const code = withoutComments(text)
  const statements = code.matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+|new URL\(\s*)'(\.[^']*)'/g)
  const imports = [...statements].map(([, specifier = '']) => {
    const target = resolve(src, dirname(path), specifier)
    return relative(src, target).split(sep).join(posix.sep)
  })
  return { path, text, imports: imports.filter((name) => /\.tsx?$/.test(name) && !name.startsWith('..')) }
}

/** Good enough for this code: no string here holds a comment's beginning followed by an import. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

/** The most specific name of the table: `api/schemas/event.ts` is `api/schemas`, `store/rows.ts` is `store`. */
function areaOf(path: string): string {
  const parts = path.replace(/\.tsx?$/, '').split('/')
  if (parts.length === 1) return topLevel[parts[0] ?? ''] ?? `${parts[0]} (not in the table)`
  const two = parts.slice(0, 2).join('/')
  return two in allowed ? two : (parts[0] ?? '')
}

function isAllowed(from: string, to: string): boolean {
  if (from === to) return true
  if (to === 'core') return !withoutCore.includes(from)
  const targets = allowed[from] ?? []
  if (targets.includes('*')) return to !== 'cli'
  return targets.includes(to)
}

/** Every circle among the imports, once, as the path through the files. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = []
  const done = new Set<string>()
  const trail: string[] = []
  const visit = (node: string): void => {
    const at = trail.indexOf(node)
    if (at >= 0) {
      cycles.push([...trail.slice(at), node].join(' → '))
      return
    }
    if (done.has(node)) return
    trail.push(node)
    for (const next of graph.get(node) ?? []) visit(next)
    trail.pop()
    done.add(node)
  }
  for (const node of graph.keys()) visit(node)
  return cycles
}

function offending(pattern: RegExp, isExempt: (path: string) => boolean): string[] {
  return files.flatMap(({ path, text }) => {
    if (isExempt(path)) return []
    const lines = withoutCommentsKeepingLines(text).split('\n')
    return lines.flatMap((line, index) =>
      pattern.test(line) ? [`src/${path}:${index + 1}: ${line.trim()}`] : [],
    )
  })
}

function withoutCommentsKeepingLines(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/(^|\s)\/\/.*$/gm, '')
}

const inFolders =
  (...folders: string[]) =>
  (path: string) =>
    folders.some((folder) => path === folder || path.startsWith(`${folder}/`))

describe('the direction of imports', () => {
  test('source files are found', () => {
    expect(files.length).toBeGreaterThan(30)
    expect(files.find(({ path }) => path === 'core/errors.ts')).toBeDefined()
  })

  test('each folder stands in the table', () => {
    const unknown = files.map(({ path }) => areaOf(path)).filter((area) => !(area in allowed))
    expect([...new Set(unknown)]).toEqual([])
  })

  test('imports only go where the design allows', () => {
    const wrong = files.flatMap(({ path, imports }) =>
      imports
        .filter((target) => !isAllowed(areaOf(path), areaOf(target)))
        .map(
          (target) => `src/${path} imports src/${target}: ${areaOf(path)} may not import ${areaOf(target)}`,
        ),
    )
    expect(wrong).toEqual([])
  })

  test('there are no import cycles, of types neither', () => {
    const graph = new Map(files.map(({ path, imports }) => [path, imports]))
    expect(findCycles(graph)).toEqual([])
  })

  test('a cycle would be found', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['a']],
    ])
    expect(findCycles(graph)).toEqual(['a → b → c → a'])
  })

  test('every import names a file that exists', () => {
    const known = new Set(files.map(({ path }) => path))
    const missing = files.flatMap(({ path, imports }) =>
      imports.filter((target) => !known.has(target)).map((target) => `src/${path} imports src/${target}`),
    )
    expect(missing).toEqual([])
  })
})

describe('packages', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const isInstalled = (specifier: string) =>
    Object.keys(dependencies).some((name) => specifier === name || specifier.startsWith(`${name}/`))

  /** The build puts the packages of these into files of its own. */
  const isBuiltIn = inFolders('bundled', 'dashboard')

  test('outside of bundled/ and dashboard/, code is imported only from packages that are installed with this one', () => {
    const wrong = files.flatMap(({ path, text }) => {
      const statements = withoutComments(text).matchAll(
        /\b(?:import|export)\s(?!type\b)[^;'"]*?from\s*'([^.'][^']*)'|(?<!['/])\bimport\s*\(?\s*'([^.'][^']*)'/g,
      )
      return [...statements]
        .map(([, from, dynamic]) => from ?? dynamic ?? '')
        .filter((name) => !name.startsWith('node:') && !isInstalled(name) && !isBuiltIn(path))
        .map((name) => `src/${path} imports ${name}`)
    })
    expect(wrong).toEqual([])
  })
})

describe('rules of the source', () => {
  test('no folder or file is called utils, helpers, common, misc or shared', () => {
    const names = files.filter(({ path }) =>
      /(^|\/)(utils?|helpers?|common|misc|shared)(\/|\.tsx?$)/.test(path),
    )
    expect(names.map(({ path }) => path)).toEqual([])
  })

  test('file names are in kebab-case', () => {
    const names = files.filter(
      ({ path }) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.tsx?$/.test(path),
    )
    expect(names.map(({ path }) => path)).toEqual([])
  })

  test('the wall clock is read in core/clock.ts only, and in one file of what imports nothing', () => {
    const isClock = inFolders('core/clock.ts', 'client/clock.ts', 'verify/clock.ts', 'dashboard/clock.ts')
    expect(offending(/\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, isClock)).toEqual([])
  })

  test('timers are made by the clock, and by what lives outside of the engine', () => {
    // Connections rest for the network's time, also where a test's clock stands still.
    const onTheNetwork = ['sender/connection.ts', 'sender/paced-connector.ts']
    const isExempt = inFolders('core/clock.ts', 'cli', 'client', 'dashboard', ...onTheNetwork)
    expect(offending(/\b(setTimeout|setInterval)\(/, isExempt)).toEqual([])
  })

  test('nothing writes to the console', () => {
    expect(offending(/\bconsole\.\w+\(/, () => false)).toEqual([])
  })

  test('core has no input or output and no randomness', () => {
    const outside = inFolders('core')
    const pattern =
      /from 'node:(fs|net|http|https|dns|tls|child_process|worker_threads)|Math\.random\(|import .*\brandom\w+.* from 'node:crypto'/
    expect(offending(pattern, (path) => !outside(path))).toEqual([])
  })

  test('SQL stands under store/ only', () => {
    const sql =
      /['"`]\s*(select\s.+\sfrom\s|insert\s+(or\s+\w+\s+)?into\s|update\s+\w+\s+set\s|delete\s+from\s|create\s+table\s|pragma\s)/i
    expect(offending(sql, inFolders('store'))).toEqual([])
  })

  test('a file has at most 300 lines', () => {
    const lineLimit = 300
    const long = files
      .filter(({ path }) => !path.startsWith('client/generated/'))
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > lineLimit)
    expect(long).toEqual([])
  })

  test('exports are named', () => {
    // pino takes the default export of a transport.
    const isPinos = inFolders('alerts/pino-transport.ts')
    expect(offending(/^\s*export default\b/, isPinos)).toEqual([])
  })
})
