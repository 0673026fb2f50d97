/** What was configured for another system, made here. */
import type { Command } from 'commander'
import { ApiError, ConnectionError } from '../client/errors.ts'
import type { ApiContext } from './api-command.ts'
import { addApiCommand } from './api-command.ts'
import { createBar } from './bar.ts'
import { counted } from './counted.ts'
import { FindingsError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'
import { type CarriedOut, carryOut, type Made } from './pyfly/carry-out.ts'
import type { ImportPlan, Remark } from './pyfly/import-plan.ts'
import { planImport } from './pyfly/plan-import.ts'
import { readCallbackFile } from './pyfly/read-callback-file.ts'
import { readWhole } from './read-secret.ts'
import { type Column, renderTable } from './table.ts'

interface ImportOptions {
  readonly dryRun?: boolean
  readonly tenant?: string
}

const columns: readonly Column<Made>[] = [
  { title: 'KIND', value: (row) => row.kind },
  { title: 'NAME', kind: 'text', value: (row) => row.name },
  { title: 'TENANT', kind: 'text', value: (row) => row.tenant },
  { title: 'ID', kind: 'id', value: (row) => row.id },
  { title: 'RESULT', value: (row) => row.result },
]

export function register(command: Command, io: CliIo): void {
  const text = 'make the endpoints, subscriptions, credentials and tenants of pyfly’s callback configs'
  const pyfly = addApiCommand(command, 'pyfly <file>', text, io)
  pyfly.option('--dry-run', 'make nothing, and say what would be made')
  addNotes(pyfly, pyflyHelp)
  pyfly.run<ImportOptions>(async (context, [file = ''], { dryRun = false, tenant }) => {
    const name = file === '-' ? 'standard input' : file
    const plan = planImport(await readCallbackFile((await readWhole(file, io)) ?? '', name))
    const ownTenant = tenant ?? io.env.OUTHOOK_TENANT ?? 'default'
    const carried = await carryOutWithBar(context, plan, { dryRun, ownTenant })
    const remarks = [...plan.remarks, ...carried.remarks].toSorted((a, b) => a.place.line - b.place.line)
    report(context, { dryRun, made: carried.made, remarks })
  })
}

async function carryOutWithBar(
  { client, io, print }: ApiContext,
  plan: ImportPlan,
  options: { readonly dryRun: boolean; readonly ownTenant: string },
): Promise<CarriedOut> {
  const total = plan.tenants.flatMap(({ endpoints }) => endpoints).length
  const bar = print.json ? null : createBar(io)
  let endpoints = 0
  const onMade = ({ kind }: Made): void => {
    if (kind !== 'endpoint') return
    endpoints += 1
    bar?.show({ share: endpoints / total, line: `${endpoints} of ${counted(total, 'endpoint')}` })
  }
  try {
    return await carryOut(client, plan, { ...options, onMade })
  } catch (error) {
    throw options.dryRun ? error : goOnAfter(error, endpoints, total)
  } finally {
    if (endpoints > 0) bar?.end()
  }
}

/** The same error, which also says how far the import has got. */
function goOnAfter(error: unknown, done: number, total: number): unknown {
  if (done === 0 || !(error instanceof ApiError || error instanceof ConnectionError)) return error
  const far = `${done} of ${counted(total, 'endpoint')} are made; the same command goes on from there`
  error.message = `${error.message}\nouthook: ${far}`
  return error
}

interface Report {
  readonly dryRun: boolean
  readonly made: readonly Made[]
  readonly remarks: readonly Remark[]
}

function report({ print, io }: ApiContext, { dryRun, made, remarks }: Report): void {
  const losses = remarks.filter(({ isLoss }) => isLoss).length
  if (print.json) {
    print.object({
      dry_run: dryRun,
      made,
      not_carried_over: remarks.map(({ place, problem, advice, isLoss }) => {
        return { line: place.line, path: place.path, problem, advice, is_loss: isLoss }
      }),
    })
  } else {
    if (made.length > 0) io.print(renderTable(columns, made, { colour: io.isTerminal, width: io.width }))
    const count = (result: Made['result']) => made.filter((one) => one.result === result).length
    const words = dryRun ? ['would be created', 'would be updated'] : ['created', 'updated']
    io.print(`\n${count('created')} ${words[0]}, ${count('updated')} ${words[1]}`)
    if (remarks.length > 0) io.print(`\nNot carried over as it stands (${remarks.length}):`)
    for (const { place, problem, advice, isLoss } of remarks) {
      io.print(`  line ${place.line}: ${place.path} ${problem}${isLoss ? ' (its requests are missing)' : ''}`)
      io.print(`    to do: ${advice}`)
    }
  }
  if (losses === 0) return
  io.printError(
    `outhook: ${counted(losses, 'thing')} that pyfly does ${losses === 1 ? 'is' : 'are'} not set up; see the list`,
  )
  throw new FindingsError()
}

const pyflyHelp = `The file is JSON or YAML: a list of pyfly's CallbackConfig as dataclasses.asdict writes them, or an object with the members "configs" and, as in pyfly.yaml, "pyfly". "-" is standard input. Run again, it brings what it made to what the file says, and makes nothing twice. Exit code 1 when requests that pyfly makes could not be set up.`
