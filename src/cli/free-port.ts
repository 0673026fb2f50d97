import { createServer } from 'node:net'
import { OuthookError } from '../core/errors.ts'

const tries = 50

/** The first free port from `first` on. 0 stays 0: the system chooses. */
export async function findFreePort(host: string, first: number): Promise<number> {
  if (first === 0) return 0
  const last = Math.min(first + tries, 65_536)
  for (let port = first; port < last; port++) {
    if (await isFree(host, port)) return port
  }
  throw new OuthookError(
    'invalid_config',
    `no free port from ${first} to ${last - 1}; name another with --port`,
  )
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      // EACCES: Windows keeps ranges of ports to itself.
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false)
      else reject(error)
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}
