/** The scripts of `outhook completion`, in the shells that they are for. A shell that is not here is skipped. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deliveryStates } from '../../src/core/model.ts'
import { runToEnd } from './run-cli.ts'

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0
let directory: string
const script = (shell: string) => join(directory, shell)

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'outhook-completion-'))
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out, code } = await runToEnd(['completion', shell])
    expect(code).toBe(0)
    writeFileSync(script(shell), `${out}\n`)
  }
})
afterAll(() => rmSync(directory, { recursive: true }))

/** What is typed, the last word being completed, and what must be offered: exactly, or among others. */
const cases: readonly [typed: string[], offered: readonly string[]][] = [
  [['del'], ['deliveries']],
  [
    ['deliveries', ''],
    ['list', 'get', 'resend', 'cancel', 'skip', '--help'],
  ],
  [['deliveries', 'list', '--sta'], ['--state']],
  [['deliveries', 'list', '--state', ''], deliveryStates],
  [['deliveries', 'list', '--limit', '5', '--state', 'dead'], ['dead_lettered']],
  [
    ['keys', 'list', '--kind', ''],
    ['producer', 'admin'],
  ],
  [['endpoints', 'ups'], ['upsert']],
  [['endpoints', 'create', '--max'], ['--max-in-flight']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish', '--help'],
  ],
  [['serve', '--allow-n'], ['--allow-network']],
]

describe.skipIf(!has('bash'))('bash', () => {
  test.each(cases)('%j', (typed, offered) => {
    const words = ['outhook', ...typed].map((word) => `'${word}'`).join(' ')
    const program = `. '${script('bash')}'; COMP_WORDS=(${words}); COMP_CWORD=${typed.length}; _outhook; printf '%s\\n' "\${COMPREPLY[@]}"`
    const out = execFileSync('bash', ['--norc', '-uc', program], { encoding: 'utf8' })
    expect(out.trim().split('\n').sort()).toEqual([...offered].sort())
  })

  test('offers files where nothing is known', () => {
    const program = `. '${script('bash')}'; COMP_WORDS=(outhook publish --file ''); COMP_CWORD=3; _outhook; echo "\${#COMPREPLY[@]}"; complete -p outhook`
    const out = execFileSync('bash', ['--norc', '-c', program], { encoding: 'utf8' })
    expect(out).toBe('0\ncomplete -o default -F _outhook outhook\n')
  })
})

describe.skipIf(!has('zsh'))('zsh (skipped where there is none)', () => {
  test.each(cases)('%j', (typed, offered) => {
    const words = ['outhook', ...typed].map((word) => `'${word}'`).join(' ')
    // Instead of the line editor: compadd says what it was given, and this does the matching.
    const program = `compdef() { }; compadd() { shift; print -l -- "$@"; }; . '${script('zsh')}'; words=(${words}); CURRENT=${typed.length + 1}; _outhook`
    const out = execFileSync('zsh', ['-fc', program], { encoding: 'utf8' })
    const found = out
      .trim()
      .split('\n')
      .filter((word) => word.startsWith(typed.at(-1) ?? ''))
    expect(found.sort()).toEqual([...offered].sort())
  })
})

describe.skipIf(!has('fish'))('fish (skipped where there is none)', () => {
  test.each(cases)('%j', (typed, offered) => {
    const program = `source '${script('fish')}'; complete --do-complete='outhook ${typed.join(' ')}'`
    const out = execFileSync('fish', ['--no-config', '-c', program], { encoding: 'utf8' })
    const found = out
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0])
    // It offers options only where a dash is typed.
    expect(found.sort()).toEqual(
      offered.filter((word) => typed.at(-1)?.startsWith('-') || !word.startsWith('-')).sort(),
    )
  })
})

test('another shell is refused with exit code 2, and those that are known', async () => {
  const { code, err } = await runToEnd(['completion', 'tcsh'])
  expect([code, err]).toEqual([2, 'outhook: "tcsh" is no shell that is known; use bash, zsh or fish'])
})

test('every command and option of the program is in each script', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await runToEnd(['completion', shell])
    for (const word of ['rotate-secret', 'scan-secrets', 'include-deleted', 'subscription', 'allow-http']) {
      expect(out, shell).toContain(word)
    }
    expect(out, 'an alias that help does not show').not.toContain('subscription-id')
  }
})
