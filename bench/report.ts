/** Figures for people (a table with the targets) and for programs (a JSON file). */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, platform, release, totalmem } from 'node:os'
import { styleText } from 'node:util'
import type { Figure } from './harness/statistics.ts'
import { isMet, targets } from './targets.ts'

interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
}

interface ReportedFigure extends Figure {
  /** The day on which it was measured. */
  readonly date: string
  readonly target?: string
  readonly met?: boolean
}

export interface Results {
  readonly machine: Machine
  readonly node: string
  readonly date: string
  /** Sizes were cut down: the figures mean nothing. */
  readonly quick?: boolean
  readonly figures: Readonly<Record<string, ReportedFigure>>
}

export function printTable(figures: ReadonlyMap<string, Figure>): void {
  const rows = [...figures].map(([name, figure]) => [
    name,
    show(figure.median),
    `${show(figure.min)} to ${show(figure.max)}`,
    String(figure.runs),
    ...describeTarget(name, figure.median),
  ])
  const header = ['figure', 'median', 'spread', 'runs', 'target', '']
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => align(cell, column, widths))
      .join('  ')
      .trimEnd()
  process.stdout.write(`\n${line(header)}\n${widths.map((width) => '─'.repeat(width)).join('  ')}\n`)
  for (const row of rows) {
    const verdict = row[5]
    const text = line(row)
    const styled =
      verdict === 'missed' ? styleText('red', text) : verdict === 'met' ? styleText('green', text) : text
    process.stdout.write(`${styled}\n`)
  }
}

export function writeResults(
  file: string,
  figures: ReadonlyMap<string, Figure>,
  options: { readonly keepOthers: boolean; readonly quick: boolean },
): Results {
  const date = new Date().toISOString()
  const reported: Record<string, ReportedFigure> = options.keepOthers ? { ...readFigures(file) } : {}
  for (const [name, figure] of figures) {
    const [target, verdict] = describeTarget(name, figure.median)
    const judged = target === '' ? {} : { target, met: verdict === 'met' }
    reported[name] = { ...figure, date: date.slice(0, 10), ...judged }
  }
  const results: Results = {
    machine: describeMachine(),
    node: process.version,
    date,
    ...(options.quick ? { quick: true } : {}),
    figures: reported,
  }
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
  return results
}

const begin = '<!-- figures: written by `npm run bench` -->'
const end = '<!-- end of figures -->'

/** Puts the figures into the page, between its two marks. */
export function writePage(file: string, { machine, node, date, figures }: Results): void {
  const page = readFileSync(file, 'utf8')
  const [before, after] = [page.indexOf(begin), page.indexOf(end)]
  if (before < 0 || after < 0) throw new Error(`${file} has lost the marks between which the figures stand`)
  const { cpu, cores, memoryGiB, system } = machine
  const rows = Object.entries(figures).map(([name, { median, min, max, runs, target = '', met }]) => {
    const verdict = met === undefined ? '' : met ? 'met' : '**missed**'
    return `| ${name} | ${show(median)} | ${show(min)} to ${show(max)} | ${runs} | ${target} | ${verdict} |`
  })
  const lines = [
    begin,
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}, ${date.slice(0, 10)}.`,
    '',
    '| figure | median | spread | runs | target | |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ]
  writeFileSync(file, page.slice(0, before) + lines.join('\n') + page.slice(after))
}

function describeTarget(name: string, median: number): readonly [string, string] {
  const target = targets.find(({ figure }) => figure === name)
  if (target === undefined) return ['', '']
  const { bound, value, aim } = target
  const words = `${bound} ${value}${aim === undefined ? '' : `, aim ${aim}`}`
  return [words, isMet(target, median) ? 'met' : 'missed']
}

function readFigures(file: string): Readonly<Record<string, ReportedFigure>> {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as Results).figures
  } catch {
    return {}
  }
}

function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
  }
}

function show(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(value)
}

/** Names to the left, figures to the right. */
function align(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0
  return column === 1 || column === 2 || column === 3 ? cell.padStart(width) : cell.padEnd(width)
}
