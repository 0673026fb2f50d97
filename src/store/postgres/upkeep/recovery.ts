/** When leases whose time is over are ended. */
import type { Leases } from '../claim/leases.ts'
import type { Runner } from '../connection/runner.ts'
import { hasExpired, recover } from './recover.ts'

export interface Recovery {
  /** A claim is called for at the end of what this process has claimed, to take over what has no outcome. */
  beforeClaim(): Promise<void>
  /** Targets that have work now. */
  now(): Promise<number>
}

/** What somebody else has locked stays, and would be found again and again. */
const maxRounds = 100

export function createRecovery({ plain, atomic }: Runner, leases: Leases): Recovery {
  const recoverAll = async (): Promise<number> => {
    if (!(await plain('config', hasExpired))) return 0
    let armed = 0
    for (let round = 0, more = true; more && round < maxRounds; round++) {
      const recovered = await atomic('config', recover)
      armed += recovered.armed
      more = recovered.more
    }
    return armed
  }
  return {
    now: recoverAll,
    async beforeClaim() {
      if (leases.foundOverdue()) await recoverAll()
    },
  }
}
