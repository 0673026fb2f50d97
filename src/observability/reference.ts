import { hookrailNames, type MetricInfo, metricTable, processMetricTable } from './metric-table.ts'

/** The reference page of the metrics, in Markdown. */
export function renderMetricsReference(): string {
  const moved = Object.entries(hookrailNames).map(([theirs, ours]) => `| \`${theirs}\` | ${ours} |`)
  return `# Metrics

<!-- Written from the source by "npm run docs:reference"; do not edit. -->

\`GET /metrics\` answers in the text format of Prometheus, without credentials. Figures are those of one process,
or of all of \`--processes\` added up, unless they say that they come from the store.

No label names a tenant, an endpoint or an event, so there are as many series with ten thousand tenants as with one. A
dashboard and alert rules for them come with Outhook: [what to watch](../operations/monitoring.md).

| name | type | labels | meaning |
|---|---|---|---|
${renderRows(metricTable)}

## Of the process

Names that other programs on Node have too. What the operating system does not tell is absent.

| name | type | labels | meaning |
|---|---|---|---|
${renderRows(processMetricTable)}

## Under hookrail's names

| there | here |
|---|---|
${moved.join('\n')}
`
}

function renderRows(table: Readonly<Record<string, MetricInfo>>): string {
  const rows = Object.entries(table).map(([name, { type, help, labels }]) => {
    const about = Object.entries(labels).map(([label, values]) => `\`${label}\`: ${values}`)
    return `| \`${name}\` | ${type} | ${about.join('; ') || '–'} | ${help} |`
  })
  return rows.join('\n')
}
