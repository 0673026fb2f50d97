/** Stands between a program and a database server, and breaks the network between them. */
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface TcpProxy {
  /** The same URL, by way of the proxy. */
  through(url: string): string
  /** New connections go to the server of this URL. */
  pointTo(url: string): void
  /** Ends every connection at once. */
  cut(): void
  /**
   * Packets are held up, and nobody is told: those of both sides or only the server's. What was held up goes on its
   * way when it ends, as TCP would send it again.
   */
  hold(what: 'everything' | 'answers' | 'nothing'): void
  /** Holds everything up on the connections of now, and nothing on later ones. */
  holdThoseOpen(): void
  /** Connections of this application name are ended as soon as they say it; null: none. */
  refuse(application: string | null): void
  /** Connections so far, and those of them that were ended for their name. */
  readonly accepted: number
  readonly refusals: number
}

type Held = Parameters<TcpProxy['hold']>[0]

interface Pair {
  readonly client: Socket
  readonly server: Socket
  held: Held
}

export async function startTcpProxy(url: string): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  let target = portOf(url)
  let heldNow: Held = 'nothing'
  let refused: string | null = null
  let accepted = 0
  let refusals = 0

  const isRefused = (text: string): boolean => refused !== null && text.includes(`\0${refused}\0`)
  const listener = createServer((client) => {
    const pair: Pair = { client, server: dial(target, '127.0.0.1'), held: 'nothing' }
    pairs.add(pair)
    accepted++
    client.on('data', (bytes) => {
      if (isRefused(bytes.toString('latin1'))) {
        refusals++
        client.destroy()
      } else pair.server.write(bytes)
    })
    pair.server.on('data', (bytes) => client.write(bytes))
    for (const socket of [client, pair.server]) {
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => endOpen(pair))
    }
    holdPair(pair, heldNow)
  })
  /** One side is gone; the other hears of it unless packets are held up. */
  const endOpen = (pair: Pair): void => {
    if (pair.held !== 'nothing') return
    pairs.delete(pair)
    pair.client.end()
    pair.server.end()
  }
  const holdPair = (pair: Pair, what: Held): void => {
    pair.held = what
    pair.client[what === 'everything' ? 'pause' : 'resume']()
    pair.server[what === 'nothing' ? 'resume' : 'pause']()
    if (pair.client.closed || pair.server.closed) endOpen(pair)
  }
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as AddressInfo
  const cut = (): void => {
    for (const { client, server } of pairs) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
    pairs.clear()
  }
  onTestFinished(() => {
    cut()
    return new Promise((resolve) => listener.close(() => resolve()))
  })
  return {
    through(original) {
      const via = new URL(original)
      via.port = `${port}`
      return via.href
    },
    pointTo(other) {
      target = portOf(other)
    },
    cut,
    hold(what) {
      heldNow = what
      for (const pair of pairs) holdPair(pair, what)
    },
    holdThoseOpen() {
      for (const pair of pairs) holdPair(pair, 'everything')
    },
    refuse(application) {
      refused = application
    },
    get accepted() {
      return accepted
    },
    get refusals() {
      return refusals
    },
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port || 5432)
}
