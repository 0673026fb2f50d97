/** What is to be reached, by the name of the figure. */
export interface Target {
  readonly figure: string
  readonly bound: 'at least' | 'at most'
  readonly value: number
  /** What is hoped for beyond; said beside it, and never judged. */
  readonly aim?: number
}

/** Each of them beside the healthy endpoints. */
const badNeighbours = [
  'one endpoint that answers after 9 s',
  'one endpoint that hangs',
  '16 endpoints that answer after 9 s',
  '16 endpoints that hang',
  '16 endpoints that answer 429',
  'a memory queue that is full',
  'receivers that mean harm',
  'a backlog over 10 thousand endpoints',
  'one event for 10 thousand endpoints',
]

export const targets: readonly Target[] = [
  atLeast('publish to delivered, deliveries per second over raw undici requests per second', 0.35, 0.5),
  atMost('publish to delivered, CPU per delivery over raw undici CPU per request', 4, 2.5),
  atLeast('drain of a backlog, deliveries per second over raw undici requests per second', 0.4, 0.5),
  atMost('drain of a backlog, CPU per delivery over raw undici CPU per request', 4, 2.5),
  ...onEachStore((store) => [
    atLeast(
      `${store}durable HTTP ingest, events per second over requests per second of a bare node:http server`,
      0.5,
    ),
    atMost(`${store}claim cost per row, 1 million pending over 10 thousand`, 1.2),
    atMost(`${store}claim cost per row, one of 100 thousand ordering keys blocked over none`, 1.2),
    atMost(`${store}noisy neighbour, wait behind 1 million over wait behind 10 thousand`, 1.2),
    atMost(`${store}memory, MB above an empty start with 1 million pending`, 100),
    atMost(`${store}idle, CPU of the server's process in % of a core`, 0.3),
    atMost(`${store}one event for 10 thousand endpoints, ms until it is acknowledged`, 50),
    atMost(`${store}dashboard, first view in Chromium, ms`, 1000),
    atMost(`${store}dashboard, what the slowest page asks for, p95 in ms`, 300),
    atMost(`${store}dashboard, publish to arrival, p99 beside an open one over p99 without`, 1.2),
    atMost(`${store}figures over time, % of the CPU of a delivery in the functions that count`, 3),
    ...badNeighbours.map((bad) => atMost(`${store}isolation, p99 beside ${bad} over p99 without`, 2)),
  ]),
  ...overHttp('', 2),
  ...overHttp('PostgreSQL, ', 4),
  atMost('PostgreSQL, over HTTP at 500 events per second, publish to arrival, p99 in ms', 10),
  atMost('publish to received at 1000 events per second, p50 in ms', 3),
  atMost('PostgreSQL, publish to received at 1000 events per second, p50 in ms', 5),
  atMost('sender, CPU per send over CPU per undici.request, unsigned', 1.5),
  atMost('sender, CPU per send over CPU per undici.request, signed', 1.5),
  atMost('guard, CPU µs per connection to addresses that are known', 3),
  atMost('filters, CPU µs of the worst filter for 10 kB', 20),
  atLeast(
    'PostgreSQL, publish to delivered, deliveries per second over raw undici requests per second',
    0.25,
    0.4,
  ),
  atMost('PostgreSQL, publish to delivered, WAL bytes per delivery', 1600),
  atMost('PostgreSQL, drain of a backlog, WAL bytes per delivery', 2500),
  atMost('PostgreSQL, publish to delivered, commits per delivery', 0.01),
  atMost('PostgreSQL, drain of a backlog, commits per delivery', 0.01),
  atMost('PostgreSQL, claim cost per row under a held snapshot over without', 1.3),
  atLeast('PostgreSQL, drain of a backlog, two processes over one', 1.3),
]

function onEachStore(make: (store: string) => readonly Target[]): readonly Target[] {
  return ['', 'PostgreSQL, '].flatMap(make)
}

function overHttp(store: string, value: number): readonly Target[] {
  return [100, 500, 1000, 2000].map((perSecond) =>
    atMost(
      `${store}over HTTP at ${perSecond} events per second, CPU per delivery over that of a bare relay per request`,
      value,
    ),
  )
}

function atLeast(figure: string, value: number, aim?: number): Target {
  return { figure, bound: 'at least', value, ...(aim !== undefined && { aim }) }
}

function atMost(figure: string, value: number, aim?: number): Target {
  return { figure, bound: 'at most', value, ...(aim !== undefined && { aim }) }
}

export function isMet({ bound, value }: Target, measured: number): boolean {
  return bound === 'at least' ? measured >= value : measured <= value
}
