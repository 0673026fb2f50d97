import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { type FoundSecret, scanSecrets } from '../core/secret-scan.ts'
import { UsageError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'

interface Options {
  readonly staged?: boolean
  readonly json?: boolean
}

interface Finding extends FoundSecret {
  readonly file: string
}

const run = promisify(execFile)
const maxDiffBytes = 512 * 1024 * 1024

export function register(command: Command, io: CliIo): void {
  command
    .argument('[files...]', 'files to read; - is standard input')
    .option('--staged', 'read the lines that the next git commit would add')
    .option('--json', 'print one JSON object per finding')
  addNotes(command, hookHelp)
  command.action(async (files: readonly string[]) => {
    const { staged = false, json = false } = command.opts<Options>()
    if (files.length === 0 && !staged) throw new UsageError('nothing to scan; name files, or use --staged')
    const found = [...(staged ? await scanStaged() : []), ...(await scanFiles(files, io))]
    for (const finding of found) io.print(json ? JSON.stringify(finding) : render(finding))
    if (found.length === 0) return
    const count = found.length === 1 ? 'a webhook URL' : `${found.length} webhook URLs`
    throw new Error(
      `found ${count} with which anybody could post; keep them in the environment or a secret manager, ` +
        'and replace those that were ever pushed',
    )
  })
}

async function scanFiles(files: readonly string[], io: CliIo): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for (const file of files) {
    const text = file === '-' ? await io.readInput() : await readText(file)
    found.push(...scanSecrets(text).map((secret) => ({ file, ...secret })))
  }
  return found
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(
      `cannot read ${file} (${(error as NodeJS.ErrnoException).code}); name files that exist`,
    )
  }
}

/** Only what is added: a line that removes a URL must be committable. */
async function scanStaged(): Promise<readonly Finding[]> {
  const diff = await readStagedDiff()
  const found: Finding[] = []
  let file = ''
  let line = 0
  let inHunk = false
  for (const text of diff.split('\n')) {
    const hunk = /^@@ -\S+ \+(\d+)/.exec(text)
    if (hunk !== null) {
      line = Number(hunk[1])
      inHunk = true
    } else if (text.startsWith('diff --git ')) inHunk = false
    else if (!inHunk && text.startsWith('+++ ')) file = pathIn(text)
    else if (inHunk && text.startsWith('+')) {
      for (const secret of scanSecrets(text.slice(1))) found.push({ file, ...secret, line })
      line++
    }
  }
  return found
}

async function readStagedDiff(): Promise<string> {
  const args = ['diff', '--cached', '--unified=0', '--no-color', '--no-ext-diff', '--no-textconv', '--text']
  const prefixes = ['--src-prefix=a/', '--dst-prefix=b/', '--no-renames', '--no-relative']
  try {
    return (await run('git', ['-c', 'core.quotepath=off', ...args, ...prefixes], { maxBuffer: maxDiffBytes }))
      .stdout
  } catch (error) {
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { readonly stderr?: string }
    if (code === 'ENOENT') throw new UsageError('--staged needs git, and it is not on the PATH')
    throw new UsageError(`git cannot show what is staged: ${stderr.trim().split('\n')[0]}`)
  }
}

/** `+++ b/path`, with a tab after it where the path holds blanks, and quoted where it holds stranger things. */
function pathIn(line: string): string {
  return line
    .slice('+++ '.length)
    .replace(/\t$/, '')
    .replace(/^"?b\//, '')
    .replace(/"$/, '')
}

function render({ file, line, column, kind, masked }: Finding): string {
  return `${file}:${line}:${column}  ${kind} webhook  ${masked}`
}

const hookHelp = `Exit code 1 when something was found, so that it serves as a pre-commit hook. In .git/hooks/pre-commit:
  #!/bin/sh
  exec npx outhook scan-secrets --staged`
