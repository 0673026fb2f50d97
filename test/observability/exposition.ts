/** The text of `/metrics`, read, and held against the naming rules of Prometheus. */

export interface ExposedMetric {
  readonly name: string
  readonly type: string
  readonly help: string
  /** Names of labels, without those of buckets; sorted. */
  readonly labels: readonly string[]
  /** Time series. */
  readonly series: number
}

const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/

/** Throws at a line that is no line of the format, and at a sample of a metric that was not described before. */
export function readExposition(text: string): readonly ExposedMetric[] {
  const metrics = new Map<string, { type: string; help: string; labels: Set<string>; series: number }>()
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? []
    if (line === '') continue
    if (kind === 'HELP') metrics.set(name, { type: '', help: rest, labels: new Set(), series: 0 })
    else if (kind === 'TYPE') Object.assign(metrics.get(name) ?? {}, { type: rest })
    else {
      const [, full = '', labels = ''] = sample.exec(line) ?? []
      const metric = metrics.get(full) ?? metrics.get(full.replace(/_(bucket|sum|count)$/, ''))
      if (metric === undefined) throw new Error(`not a sample of a described metric: ${line}`)
      metric.series++
      for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) {
        if (!(label === 'le' && metric.type === 'histogram')) metric.labels.add(label)
      }
    }
  }
  return [...metrics].map(([name, { labels, ...rest }]) => ({ name, ...rest, labels: [...labels].sort() }))
}

/** Units are basic ones, whole and in the plural. */
const otherUnits =
  /_(ms|msec|millis|milliseconds|micros|microseconds|nanoseconds|minutes|hours|days|kb|mb|kilobytes|megabytes|percent)(_|$)/

/** What is wrong with a metric, in words; nothing when it follows the rules. */
export function lintMetric({ name, type, help, labels }: Omit<ExposedMetric, 'series'>): readonly string[] {
  const rules: readonly (readonly [boolean, string])[] = [
    [/^[a-z][a-z0-9_]*[a-z0-9]$/.test(name), 'its name is not lower-case words with "_" between them'],
    [!name.includes('__'), 'its name has an empty word'],
    [(type === 'counter') === name.endsWith('_total'), 'counters end with _total, and nothing else does'],
    [!/_(bucket|sum|count)$/.test(name), 'its name ends as a part of a histogram does'],
    [!otherUnits.test(name), 'its unit is none of seconds and bytes'],
    [!new RegExp(`_(${type})(_|$)`).test(name), 'its name has its type in it'],
    [['counter', 'gauge', 'histogram'].includes(type), `its type is ${type}`],
    [type !== 'histogram' || /_(seconds|bytes)$/.test(name), 'a histogram names its unit'],
    [/^[A-Z].*\.$/.test(help), 'its help is no sentence'],
    [labels.every((label) => /^[a-z][a-z0-9_]*$/.test(label)), 'a label is not lower-case words'],
    [!labels.includes('le') && !labels.includes('quantile'), 'a label is one of those that Prometheus keeps'],
    [
      !labels.some((label) => /tenant|endpoint|event|delivery|subscription|topic|url|(^|_)id$/.test(label)),
      'a label has as many values as there are tenants, endpoints or events',
    ],
  ]
  return rules.flatMap(([holds, problem]) => (holds ? [] : [`${name}: ${problem}`]))
}
