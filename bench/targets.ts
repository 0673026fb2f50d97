/** What is to be reached, by the name of the figure. */
export interface Target {
  readonly figure: string
  readonly bound: 'at least' | 'at most'
  readonly value: number
}

export const targets: readonly Target[] = [
  atLeast('publish to delivered, deliveries per second over raw undici requests per second', 0.5),
  atMost('publish to delivered, CPU per delivery over raw undici CPU per request', 2.5),
  atMost('drain of a backlog, CPU per delivery over raw undici CPU per request', 2.5),
  atLeast('durable HTTP ingest, events per second over requests per second of a bare node:http server', 0.5),
  atMost('claim cost per row, 1 million pending over 10 thousand', 1.2),
  atMost('noisy neighbour, wait behind 1 million over wait behind 10 thousand', 1.2),
  atMost('publish to received at 1000 events per second, p50 in ms', 3),
  atMost('memory, MB above an empty start with 1 million pending', 100),
  atMost('sender, CPU per send over CPU per undici.request, unsigned', 1.5),
  atMost('sender, CPU per send over CPU per undici.request, signed', 1.5),
  atMost('isolation, p99 beside one endpoint that answers after 9 s over p99 without', 2),
  atMost('isolation, p99 beside one endpoint that hangs over p99 without', 2),
  atMost('isolation, p99 beside 16 endpoints that answer after 9 s over p99 without', 2),
  atMost('isolation, p99 beside 16 endpoints that hang over p99 without', 2),
  atMost('isolation, p99 beside a backlog over 10 thousand endpoints over p99 without', 2),
  atLeast('PostgreSQL, publish to delivered, deliveries per second over raw undici requests per second', 0.4),
  atMost('PostgreSQL, publish to delivered, CPU per delivery over raw undici CPU per request', 2.5),
  atMost('PostgreSQL, drain of a backlog, CPU per delivery over raw undici CPU per request', 2.5),
  atLeast(
    'PostgreSQL, durable HTTP ingest, events per second over requests per second of a bare node:http server',
    0.5,
  ),
  atMost('PostgreSQL, noisy neighbour, wait behind 1 million over wait behind 10 thousand', 1.2),
  atMost('PostgreSQL, publish to received at 1000 events per second, p50 in ms', 5),
  atMost('PostgreSQL, memory, MB above an empty start with 1 million pending', 100),
  atMost('PostgreSQL, publish to delivered, WAL bytes per delivery', 2000),
  atMost('PostgreSQL, drain of a backlog, WAL bytes per delivery', 2800),
  atMost('PostgreSQL, publish to delivered, commits per delivery', 0.01),
  atMost('PostgreSQL, drain of a backlog, commits per delivery', 0.01),
  atMost('PostgreSQL, claim cost per row, 1 million pending over 10 thousand', 1.2),
  atMost('PostgreSQL, claim cost per row under a held snapshot over without', 1.3),
  atLeast('PostgreSQL, drain of a backlog, two processes over one', 1.3),
]

function atLeast(figure: string, value: number): Target {
  return { figure, bound: 'at least', value }
}

function atMost(figure: string, value: number): Target {
  return { figure, bound: 'at most', value }
}

export function isMet({ bound, value }: Target, measured: number): boolean {
  return bound === 'at least' ? measured >= value : measured <= value
}
