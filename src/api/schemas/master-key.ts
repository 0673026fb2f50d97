import { Type } from '../../bundled/typebox.ts'
import { Nullable } from './shapes.ts'

const Fingerprint = (description: string) => Type.String({ pattern: '^[0-9a-f]{8}$', description })

export const MasterKeyBody = Type.Object(
  {
    fingerprint: Fingerprint('of the key that seals; it tells nothing about the key'),
    replacing: Nullable(Fingerprint('of the key that is being replaced; null: none is')),
    remaining: Type.Integer({
      description: 'values that are still sealed under another one of the keys that this process was given',
    }),
    given: Type.Array(Type.String(), { description: 'fingerprints of the keys that this process was given' }),
  },
  { title: 'MasterKey' },
)
