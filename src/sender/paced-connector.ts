/**
 * Opens a few connections per turn of the event loop, in the order in which they were asked for. A receiver that means
 * harm costs its attempt up to 2 ms, most of it when the answer is read, and mostly leaves a connection that cannot be
 * used again. Two hundred such attempts that began in one turn were answered in one turn, too, and for its 140 ms
 * nobody else's request went out; begun a few at a time, they take turns of some milliseconds.
 */
import type { ConnectCallback, Connector, ConnectTarget } from './connector.ts'

const perTurn = 4

interface Waiting {
  readonly target: ConnectTarget
  readonly callback: ConnectCallback
  /** Null as long as it waits. */
  cancelOpen: (() => void) | null
  isCancelled: boolean
}

export class PacedConnector implements Connector {
  readonly #connector: Connector
  #waiting: Waiting[] = []
  #openedInTurn = 0
  #isCounting = false

  constructor(connector: Connector) {
    this.#connector = connector
  }

  open(target: ConnectTarget, callback: ConnectCallback): () => void {
    this.#count()
    if (this.#openedInTurn < perTurn) {
      this.#openedInTurn++
      return this.#connector.open(target, callback)
    }
    const one: Waiting = { target, callback, cancelOpen: null, isCancelled: false }
    this.#waiting.push(one)
    return () => {
      one.isCancelled = true
      one.cancelOpen?.()
    }
  }

  #count(): void {
    if (this.#isCounting) return
    this.#isCounting = true
    setImmediate(() => this.#beginTurn())
  }

  #beginTurn(): void {
    this.#isCounting = false
    this.#openedInTurn = 0
    if (this.#waiting.length === 0) return
    this.#count()
    const due = this.#waiting.splice(0, perTurn)
    for (const one of due) {
      if (one.isCancelled) continue
      this.#openedInTurn++
      one.cancelOpen = this.#connector.open(one.target, one.callback)
    }
  }
}
