/** The alert rules and the dashboard of `deploy/`, held against the table of metrics. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { metricTable } from '../../src/observability/metric-table.ts'
import { checkExpression } from './prometheus-expression.ts'

const root = resolve(import.meta.dirname, '../..')
const rulesFile = join(root, 'deploy/prometheus/outhook-alerts.yml')

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

const { groups } = parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)
const dashboard = JSON.parse(readFileSync(join(root, 'deploy/grafana/outhook-dashboard.json'), 'utf8')) as {
  readonly panels: readonly Panel[]
}
const panels = dashboard.panels.filter(({ type }) => type !== 'row')
const page = readFileSync(join(root, 'docs/operations/monitoring.md'), 'utf8')

/** Labels that a text for people names, `{{ $labels.x }}` or `{{x}}`. */
const namedIn = (text: string): readonly string[] =>
  [...text.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(([, label = '']) => label)

test.each(rules)('the alert $alert names metrics, labels and values that there are', (rule) => {
  const texts = Object.values(rule.annotations).join(' ')
  expect(checkExpression(rule.expr, namedIn(texts))).toEqual([])
})

test.each(rules)(
  'the alert $alert says how bad it is, what happened and what to do, and stands in the docs',
  (rule) => {
    expect(rule.alert).toMatch(/^Outhook[A-Z]\w+$/)
    expect(['critical', 'warning', 'info']).toContain(rule.labels.severity)
    expect(rule.annotations.summary).toMatch(/^\S.*[^.]$/)
    expect(rule.annotations.description).toMatch(/\.$/)
    expect(rule.for ?? '0m').toMatch(/^\d+[mh]$/)
    expect(page).toContain(`\`${rule.alert}\``)
  },
)

test.each(panels)(
  'the panel "$title" names metrics, labels and values that there are',
  ({ targets = [] }) => {
    expect(targets.length).toBeGreaterThan(0)
    for (const { expr, legendFormat } of targets) {
      expect(checkExpression(expr, namedIn(legendFormat)), expr).toEqual([])
    }
  },
)

test('every metric of Outhook is on the dashboard', () => {
  const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n')
  expect(Object.keys(metricTable).filter((name) => !shown.includes(name))).toEqual([])
})

test('panels have ids of their own, stand within the grid and do not overlap', () => {
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
  const taken = new Set<string>()
  for (const { title, gridPos } of dashboard.panels) {
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken.has(`${x},${y}`), title).toBe(false)
        taken.add(`${x},${y}`)
      }
    }
  }
})

describe('the check of expressions', () => {
  test.each([
    ['sum(rate(outhook_events_total{job="outhook"}[5m]))', 'there is no metric outhook_events_total'],
    ['outhook_in_flight{job="outhook", state="x"}', 'outhook_in_flight has no label state'],
    ['outhook_deliveries{job="outhook", state="lost"}', 'outhook_deliveries has no state such as lost'],
    ['sum by (tenant) (outhook_in_flight{job="outhook"})', 'it has no label tenant'],
    [
      'outhook_attempt_duration_seconds{job="outhook"}',
      'there is no metric outhook_attempt_duration_seconds',
    ],
    ['rate(outhook_in_flight_bucket{job="outhook"}[5m])', 'there is no metric outhook_in_flight_bucket'],
    ['sum(outhook_in_flight)', 'outhook_in_flight is of any job'],
    ['1 + 1', 'it names no metric'],
  ])('refuses %s', (expression, problem) => {
    expect(checkExpression(expression)).toEqual([problem])
  })
})

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined

describe.skipIf(!hasPromtool)('promtool (skipped without promtool)', () => {
  test('finds the rules right', () => {
    const { stdout, stderr, status } = spawnSync('promtool', ['check', 'rules', rulesFile], {
      encoding: 'utf8',
    })
    expect({ status, said: stdout + stderr }).toEqual({
      status: 0,
      said: expect.stringContaining(`SUCCESS: ${rules.length} rules found`),
    })
  })

  test('sees alerts fire when what they are for happens, and not otherwise', () => {
    const { stdout, stderr, status } = spawnSync('promtool', ['test', 'rules', 'alert-rules.test.yml'], {
      cwd: join(root, 'test/fixtures'),
      encoding: 'utf8',
    })
    expect(status, stdout + stderr).toBe(0)
  })
})
