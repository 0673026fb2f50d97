/** What calls read of PostgreSQL's tables: each of their statements is run once more, and says it. */
import pg from 'pg'
import { expect, vi } from 'vitest'
import type { PostgresHarness } from './postgres-harness.ts'

export interface Sent {
  readonly text: string
  readonly values: readonly unknown[]
}

export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

/** The statements of the call that are about one of the tables. */
export async function statementsOf(
  call: () => Promise<unknown>,
  tables: readonly string[],
): Promise<readonly Sent[]> {
  const query = vi.spyOn(pg.Client.prototype, 'query')
  await call()
  const calls = query.mock.calls as unknown as [Partial<Sent>][]
  query.mockRestore()
  const about = new RegExp(`\\b(${tables.join('|')})\\b`)
  const statements = calls.flatMap(([{ text = '', values = [] }]) =>
    about.test(text) ? [{ text, values }] : [],
  )
  expect(statements.length).toBeGreaterThan(0)
  return statements
}

/** Rows of the tables and entries of their indexes that the call fetches. */
export async function rowsReadBy(
  harness: PostgresHarness,
  call: () => Promise<unknown>,
  tables: readonly string[],
): Promise<number> {
  let rows = 0
  for (const sent of await statementsOf(call, tables)) rows += await rowsRead(harness, sent, tables)
  return rows
}

export async function rowsRead(
  harness: PostgresHarness,
  { text, values }: Sent,
  tables: readonly string[],
): Promise<number> {
  const [plan] = await harness.sql<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>(
    `explain (analyze, format json) ${text}`,
    values,
  )
  return sumRows(plan?.['QUERY PLAN'][0]?.Plan as PlanNode, tables)
}

export function nodesOf(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

export function isOfTable(node: PlanNode, tables: readonly string[]): boolean {
  return tables.includes(node['Relation Name'] ?? '') && node['Node Type'] !== 'Bitmap Heap Scan'
}

function sumRows(root: PlanNode, tables: readonly string[]): number {
  return nodesOf(root)
    .filter((node) => isOfTable(node, tables))
    .reduce(
      (sum, node) =>
        sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
      0,
    )
}
