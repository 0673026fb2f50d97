import { readProcess } from './process-cpu.ts'
import type { DatabaseServer } from './stores.ts'

/** The PostgreSQL process under which all others of that server are; null when it is not to be seen on this machine. */
export async function findDatabaseProcess(server: DatabaseServer, name: string): Promise<number | null> {
  const client = await server.connect(name)
  try {
    const { rows } = await client.query<{ readonly pid: number }>('select pg_backend_pid() as pid')
    const backend = readProcess(rows[0]?.pid ?? -1)
    const parent = backend === null ? null : readProcess(backend.parent)
    // Elsewhere the same number is another program's.
    const isPostgres = [backend, parent].every((process) => process?.name.startsWith('postgres'))
    return isPostgres ? (parent?.pid ?? null) : null
  } finally {
    await client.end()
  }
}
