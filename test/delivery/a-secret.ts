import type { SealedSecret } from '../../src/core/model.ts'

export function aSecret(members: Pick<SealedSecret, 'sealed'> & Partial<SealedSecret>): SealedSecret {
  return {
    id: 'sec_a',
    endpointId: 'ep_a',
    createdAt: 0,
    expiresAt: null,
    primarySince: null,
    reveals: 0,
    revealedAt: null,
    revealedBy: null,
    ...members,
  }
}
