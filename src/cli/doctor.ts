import { styleText } from 'node:util'
import type { Command } from 'commander'
import { settings } from '../config/schema.ts'
import { createSystemClock } from '../core/clock.ts'
import type { CheckProgress, Finding } from '../store-upkeep.ts'
import { addConfigFlags, readConfig } from './config-flags.ts'
import { counted } from './counted.ts'
import { FindingsError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'
import { wrap } from './wrap.ts'

const styles = { ok: 'green', warning: 'yellow', problem: 'red' } as const

export function register(command: Command, io: CliIo): void {
  command.option('--json', 'print JSON for programs')
  command.option(
    '--quick',
    'leave out whether indexes agree with their tables, which takes long with a large database',
  )
  addConfigFlags(command, ['store', 'dataDir', 'masterKey', 'masterKeyOld', 'processes'])
  addNotes(
    command,
    'Only reads; servers may go on running. Ends with 1 when something is a problem, with 0 otherwise. A PostgreSQL ' +
      'that does not answer is a problem at once, and is not waited for.',
  )
  command.action(async () => {
    const { json = false, quick = false } = command.opts<{ json?: boolean; quick?: boolean }>()
    const config = readConfig(command, io)
    const server = await io.loadServer()
    const findings = await server.examineStore(config, {
      quick,
      ...(!json && { onProgress: showProgress(io) }),
    })
    const [problems, warnings] = [count(findings, 'problem'), count(findings, 'warning')]
    if (json) {
      const store = settings.store.type.format(config.store)
      io.print(JSON.stringify({ store, problems, warnings, findings }))
    } else {
      for (const line of renderFindings(findings, io)) io.print(line)
      io.print(`\n${counted(problems, 'problem')}, ${counted(warnings, 'warning')}`)
    }
    if (problems > 0) throw new FindingsError()
  })
}

const barWidth = 24
const tellEveryMs = 5000

/** On standard error, beside what is found: a bar that stays on its line of a terminal, a line now and then elsewhere. */
function showProgress(io: CliIo): (progress: CheckProgress) => void {
  const clock = createSystemClock()
  let toldAt = clock.elapsed()
  return ({ table, done, of }) => {
    const text = `checking ${table}, ${done} of ${of} tables done`
    if (io.isTerminal) {
      const filled = Math.floor((done / of) * barWidth)
      const bar = `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}]`
      // To the beginning of the line, and what was there is erased; the last one leaves nothing.
      io.printBytes(new TextEncoder().encode(`\r\u001b[2K${done + 1 === of ? '' : `${bar} ${text}`}`))
    } else if (clock.elapsed() - toldAt >= tellEveryMs) {
      toldAt = clock.elapsed()
      io.printError(text)
    }
  }
}

function count(findings: readonly Finding[], level: Finding['level']): number {
  return findings.filter((finding) => finding.level === level).length
}

/** `warning  backlog  12 pending…`, and under it what to do. */
export function renderFindings(
  findings: readonly Finding[],
  { isTerminal: colour, width: lineWidth }: CliIo,
): readonly string[] {
  const width = Math.max(...findings.map(({ check }) => check.length))
  return findings.flatMap(({ level, check, found, advice }) => {
    const word = level.padEnd('problem'.length)
    const indent = word.length + width + 4
    // Elsewhere a line is a line, for grep.
    const wrapped = (text: string) =>
      lineWidth === undefined ? text : wrap(text, { indent, width: lineWidth })
    // A server's words must not move the cursor.
    const line = wrapped(`${word}  ${check.padEnd(width)}  ${found.replace(/[\n\r\t]/g, ' ')}`)
    const painted = colour ? styleText(styles[level], word, { validateStream: false }) : word
    const shown = painted + line.slice(word.length)
    return advice === null ? [shown] : [shown, wrapped(`${''.padEnd(indent)}→ ${advice}`)]
  })
}
