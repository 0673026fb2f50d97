/** A worker's side of `--processes`: see `process-group.ts`. */
import type { GroupMessage, WorkerMessage } from './group-messages.ts'
import type { MetricsGroup, SignalSource } from './io.ts'

export interface WorkerLink extends MetricsGroup {
  /** The given signals, and what the group says in their place. */
  readonly signals: SignalSource
  /** This process serves now. */
  reportUp(url: string): void
  /** The group no longer keeps this process from ending. */
  release(): void
}

export function connectToGroup(own: SignalSource): WorkerLink {
  const asked = new Map<number, (text: string) => void>()
  let lastId = 0
  let takeSnapshot: (() => Promise<unknown>) | null = null

  listen((message) => {
    if (message.kind === 'metrics') {
      asked.get(message.id)?.(message.text)
      asked.delete(message.id)
    } else if (message.kind === 'snapshot') {
      // Without an answer the group goes on without this process.
      takeSnapshot?.().then(
        (snapshot) => send({ kind: 'snapshot', id: message.id, snapshot }),
        () => undefined,
      )
    }
  })
  return {
    offer: (snapshot) => {
      takeSnapshot = snapshot
    },
    render() {
      const id = ++lastId
      const { promise, resolve } = Promise.withResolvers<string>()
      asked.set(id, resolve)
      send({ kind: 'metrics', id })
      return promise
    },
    reportUp: (url) => send({ kind: 'up', url }),
    release: () => process.channel?.unref(),
    signals: {
      exit: (code) => own.exit(code),
      onSignal(listener) {
        const stopOwn = own.onSignal(listener)
        const stopGroup = listen(({ kind }) => {
          if (kind === 'stop') listener('stop')
        })
        return () => {
          stopOwn()
          stopGroup()
        }
      },
    },
  }
}

function listen(take: (message: GroupMessage) => void): () => void {
  process.on('message', take)
  return () => process.off('message', take)
}

/** A group that is gone ends this process by itself. */
function send(message: WorkerMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
}
