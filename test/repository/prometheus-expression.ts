/** Which metrics, labels and values an expression of Prometheus names, as far as the files in `deploy/` need it. */
import { type MetricInfo, metricTable, processMetricTable } from '../../src/observability/metric-table.ts'

interface Selector {
  readonly metric: string
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[]
}

interface Expression {
  readonly selectors: readonly Selector[]
  /** Of `by`, `without`, `on` and `ignoring`. */
  readonly grouping: readonly string[]
}

const words = ['and', 'or', 'unless', 'bool', 'offset', 'group_left', 'group_right', 'inf', 'nan']

function parseExpression(expression: string): Expression {
  const grouping: string[] = []
  const rest = expression.replace(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g, (_, list: string) => {
    grouping.push(...list.split(',').map((label) => label.trim()))
    return ' '
  })
  const selectors: Selector[] = []
  const bare = rest.replace(/([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}/g, (_, metric: string, inside: string) => {
    const matchers = [...inside.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(
      ([, label = '', operator = '', value = '']) => ({ label, operator, value }),
    )
    selectors.push({ metric, matchers })
    return ' '
  })
  const unnamed = bare.replace(/\[[^\]]*\]/g, ' ').replace(/"[^"]*"/g, ' ')
  for (const [, metric = '', call = ''] of unnamed.matchAll(/(?<![\w.$])([a-zA-Z_:][\w:]*)\s*(\()?/g)) {
    if (call === '' && !words.includes(metric.toLowerCase())) selectors.push({ metric, matchers: [] })
  }
  return { selectors, grouping }
}

const tables: Readonly<Record<string, MetricInfo>> = { ...metricTable, ...processMetricTable }
/** What Prometheus itself knows of every target. */
const ofPrometheus: Readonly<Record<string, MetricInfo>> = { up: { type: 'gauge', help: '', labels: {} } }
const labelsOfEach = ['job', 'instance']

function find(name: string): { readonly info: MetricInfo; readonly labels: readonly string[] } | null {
  const [, base = '', part = ''] = /^(.*)_(bucket|sum|count)$/.exec(name) ?? []
  const plain = tables[name] ?? ofPrometheus[name]
  const histogram = tables[base]
  const info = plain?.type === 'histogram' ? undefined : (plain ?? histogram)
  if (info === undefined || (plain === undefined && info.type !== 'histogram')) return null
  return {
    info,
    labels: [...Object.keys(info.labels), ...labelsOfEach, ...(part === 'bucket' ? ['le'] : [])],
  }
}

/** What is wrong with it, in words: metrics, labels and values of labels that no process exposes. */
export function checkExpression(expression: string, others: readonly string[] = []): readonly string[] {
  const { selectors, grouping } = parseExpression(expression)
  const problems: string[] = selectors.length === 0 ? ['it names no metric'] : []
  const known = new Set<string>()
  for (const { metric, matchers } of selectors) {
    const found = find(metric)
    if (found === null) {
      problems.push(`there is no metric ${metric}`)
      continue
    }
    for (const label of found.labels) known.add(label)
    for (const { label, operator, value } of matchers) {
      if (!found.labels.includes(label)) problems.push(`${metric} has no label ${label}`)
      else if (!isValue(found.info.labels[label], operator, value))
        problems.push(`${metric} has no ${label} such as ${value}`)
    }
    if (!matchers.some(({ label }) => label === 'job')) problems.push(`${metric} is of any job`)
  }
  for (const label of [...grouping, ...others]) {
    if (!known.has(label)) problems.push(`it has no label ${label}`)
  }
  return problems
}

/** The table names the values of most labels; others, such as statuses, are too many. */
function isValue(meaning: string | undefined, operator: string, value: string): boolean {
  if (meaning === undefined || /such as|the status/.test(meaning)) return true
  const values = operator.endsWith('~') ? value.split('|') : [value]
  return values.every((each) => new RegExp(`(?<![\\w])${each}(?![\\w])`).test(meaning))
}
