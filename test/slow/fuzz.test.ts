/**
 * The server against its own OpenAPI document: schemathesis makes requests that the document allows and requests that
 * it forbids, and holds status, headers and body of each answer against it. With a token of an admin, with one of a
 * viewer, and with a producer key, all at once. `OUTHOOK_SCHEMATHESIS` names an installed one; else one is put into a
 * scratch environment of Python. `test/api/document-property.test.ts` does some of this without Python.
 * `OUTHOOK_FUZZ_SEED` makes other requests.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminToken, startServer } from './server-process.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'outhook-fuzz-'))
/** The program; null when it cannot be had, and why stands in the other. */
let program: string | null = process.env.OUTHOOK_SCHEMATHESIS ?? null
let missing = ''

beforeAll(async () => {
  if (program !== null) return
  const bin = join(folder, 'venv', process.platform === 'win32' ? 'Scripts' : 'bin')
  try {
    await run('python3', ['-m', 'venv', join(folder, 'venv')], { timeout: 300_000 })
  } catch {
    missing = 'python3 with venv is not on this machine'
    return
  }
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'schemathesis==4.32.5']
  try {
    await run(join(bin, 'python'), install, { timeout: 240_000 })
    program = join(bin, 'schemathesis')
  } catch {
    missing = 'schemathesis cannot be had from the package index'
  }
}, 400_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/**
 * What a schema cannot say, because it compares two values. Each refusal is right: the request contradicts itself.
 */
const explained = [
  'retry_policy.cap must not be shorter than base',
  'backoff_policy.cap_ms must not be less than base_ms',
  'breaker_pause is longer than ',
  // Nor which profiles the server has been given.
  ' is no profile; profiles are ',
  'the header Idempotency-Key and the body’s idempotency_key differ',
  'Ordering-Key and ',
  // Nor that of two times one comes first.
  'since must be before until',
  // Nor can it say which cursors this list has given.
  'the cursor is of another listing',
  'the cursor cannot be read',
  // Nor which version an object has just now.
  'somebody has changed it meanwhile',
  'a list by uid has one page',
  'a list by name has one page',
  // Nor what schemathesis itself sends against the document: in its coverage phase it makes valid values of headers from
  // letters and digits alone, of which no list of tags and no "*" can be made. For an optional header without a valid
  // value the first invalid one, "0", goes into every request of that operation which it takes for a valid one.
  'is not a list of tags such as',
  // Nor which payloads are gone.
  'was expunged on demand at',
  // Nor that two members exclude each other by their values, nor what time it is.
  'must be in the future, by 100 years at most',
  'expires_at must not stand beside expires_in',
  'the tenant default keeps its uid',
  'the tenant default cannot be deleted',
  'deliver_at and delay are both given',
  // Of a credential: what its kind is, whether it is there, and what OpenSSL reads.
  'is no member of the kind ',
  ', which the tenant does not have; make the credential first',
  'must be certificates in PEM',
  'holds what is no certificate',
  'must be a private key in PEM',
  'is not the key of the certificate',
  'which is none of its authorized hosts',
  'and no client certificate; give one of the kind client_certificate',
  'are both client certificates, and a connection shows one',
  // Of the kind of an endpoint: what it takes, where it is, and templates, which are a small language.
  'a Discord webhook takes no ',
  'an incoming webhook of Slack takes no ',
  'an HTTP endpoint takes no ',
  'url is no Discord webhook',
  'url is no incoming webhook',
  'kind never changes',
  'has no secrets, because nothing that it gets is signed',
  'which gets events alone',
  '"detail":"settings',
  // Of an event type: JSON Schema and OpenAPI, which are languages of their own.
  '"detail":"schema',
  '"detail":"document',
  // Of a pool, whose URLs are compared as they are asked for.
  'stands there twice; name each URL once',
  // Of a filter, which is a small language; and of hosts, as URLs have them.
  '"detail":"filter',
  'which stands for all below it too, of at most 253 characters',
  'Domain not authorized',
  // Of a direct send, and how the server is set.
  'give url or endpoint_id',
  'payload and body are both given',
  'body is not base64',
  'content_type and headers["content-type"] are both given',
  'retry.cap must not be shorter than base',
  'timeout must be',
  'its time is more than 366 days ahead',
  "is a producer key's; an admin token has a role",
  'admin tokens are active already',
]

/** Quotation marks are escaped in the JSON of an answer. */
function isExplained(text: string): boolean {
  return explained.some((reason) => text.includes(reason) || text.includes(reason.replaceAll('"', '\\"')))
}

interface Document {
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly properties: Record<string, object> }>>
  }
}

/** The document as the server gives it, but for the URLs: their names would be looked up outside of this machine. */
async function documentOf(url: string): Promise<string> {
  const answer = await fetch(`${url}/openapi.json`)
  const document = (await answer.json()) as Document
  const here = { type: 'string', pattern: '^https://127\\.0\\.0\\.1:8443(?:/[!-\\[\\]-~]*)?$' }
  for (const name of [
    'EndpointCreate',
    'EndpointChange',
    'DirectSend',
    'CredentialCreate',
    'CredentialChange',
  ]) {
    const properties = document.components.schemas[name]?.properties ?? expect.fail(`there is no ${name}`)
    properties[name.startsWith('Credential') ? 'token_url' : 'url'] = here
    if (properties.urls !== undefined) properties.urls = { ...properties.urls, items: here }
  }
  // Examples of whole bodies have such names too.
  const text = JSON.stringify(document).replaceAll(
    /https:\/\/((?:[a-z]+\.)*)example(?:\.com)?\//g,
    'https://127.0.0.1:8443/$1',
  )
  const file = join(folder, `openapi-${new URL(url).port}.json`)
  writeFileSync(file, text)
  return file
}

/** How many the document in the file has, but for the one that is left out. */
function operationsIn(file: string): number {
  const { paths } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly paths: Readonly<Record<string, object>>
  }
  const tested = Object.entries(paths).filter(([path]) => path !== '/v1/stream')
  return tested.reduce((sum, [, methods]) => sum + Object.keys(methods).length, 0)
}

interface Found {
  readonly type: string
  readonly text: string
}

/** The failures of a report for people, each with its text. */
function failuresIn(report: string): readonly Found[] {
  const parts = report.split(/^\d+\. Test Case ID: .*$/m).slice(1)
  return parts.map((part) => {
    // The rules between its parts are as wide as COLUMNS says, and what follows the last failure is a summary.
    const text = (part.split(/^[=_]{20,}/m)[0] ?? '').trim()
    return { type: /- (ST\d+ .*)/.exec(text)?.[1] ?? 'unknown', text }
  })
}

/** Credentials of the role, which the server at the address makes. */
async function tokenOf(role: 'admin' | 'viewer' | 'producer', url: string): Promise<string> {
  if (role === 'admin') return adminToken
  const isKey = role === 'producer'
  const made = await fetch(`${url}/v1/${isKey ? 'keys' : 'admin-tokens'}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(isKey ? { name: 'fuzz' } : { role, label: 'fuzz' }),
  })
  const { key, token } = (await made.json()) as { readonly key?: string; readonly token?: string }
  return (isKey ? key : token) ?? expect.fail(`no credentials of ${role} were made`)
}

test.concurrent.for(['admin', 'viewer', 'producer'] as const)(
  'schemathesis finds nothing that is not explained, with the credentials of: %s',
  { timeout: 600_000 },
  async (role, { skip, onTestFinished, expect }) => {
    if (program === null) return skip(`not run: ${missing}`)
    const database = join(mkdtempSync(join(folder, 'data-')), 'outhook.db')
    const { url } = await startServer({ database, endWith: onTestFinished })
    const token = await tokenOf(role, url)
    const document = await documentOf(url)
    const args = ['run', document, '--url', url, '-H', `Authorization: Bearer ${token}`]
    // Its answer does not end.
    args.push('--exclude-path', '/v1/stream')
    const options = [
      '--checks',
      'all',
      '--continue-on-failure',
      '--generation-database',
      'none',
      '--seed',
      process.env.OUTHOOK_FUZZ_SEED ?? '1',
    ]
    const json = join(folder, `${role}.json`)
    const reports = ['--report', 'json', '--report-json-path', json, '--no-color']
    // A viewer is let into reading only, so the rest of what is sent meets the same refusal again and again.
    reports.push('--max-examples', role === 'viewer' ? '4' : '10')
    const { stdout } = await run(program, [...args, ...options, ...reports], {
      cwd: folder,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, COLUMNS: '4000', PYTHONUTF8: '1' },
    }).catch((error: { readonly stdout: string }) => error)
    const report = JSON.parse(readFileSync(json, 'utf8'))
    expect(report).toMatchObject({ stop_reason: 'completed', errors: [] })
    expect(report.operations.tested).toBe(operationsIn(document))
    expect(report.test_cases.generated).toBeGreaterThan(1000)
    const found = failuresIn(stdout)
    expect(found).toHaveLength(report.test_cases.unique_failures)
    const unexplained = found.filter(({ type, text }) => !(type.startsWith('ST202') && isExplained(text)))
    expect(unexplained).toEqual([])
  },
)
