import { expect, test } from 'vitest'
import { mayComeSoon, toStoreError } from '../../src/store/postgres/connection/store-error.ts'

const fromServer = (code: string) => Object.assign(new Error('x'), { code, severity: 'FATAL' })
const fromSystem = (code: string) => Object.assign(new Error('x'), { code, syscall: 'connect' })

test.each([
  fromSystem('ECONNREFUSED'),
  fromSystem('ENOTFOUND'),
  fromSystem('EAI_AGAIN'),
  fromSystem('ENOENT'),
  new Error('timeout expired'),
  fromServer('57P03'),
  fromServer('53300'),
  fromServer('25006'),
])('a server that answers %o, or not at all, may be there soon', (error) => {
  expect(mayComeSoon(toStoreError(error))).toBe(true)
})

test.each([
  fromServer('28P01'),
  fromServer('28000'),
  fromServer('3D000'),
  fromServer('42501'),
  fromSystem('SELF_SIGNED_CERT_IN_CHAIN'),
  fromSystem('ERR_TLS_CERT_ALTNAME_INVALID'),
])('%o stays as it is, however long one waits', (error) => {
  expect(mayComeSoon(toStoreError(error))).toBe(false)
})
