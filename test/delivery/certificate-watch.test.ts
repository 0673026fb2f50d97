/** When a certificate that is used is told of, and what is kept of that. */
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import type { RoutedCredential } from '../../src/core/credential.ts'
import { CertificateWatch, type ExpiringCertificate } from '../../src/delivery/certificate-watch.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

const dayMs = 86_400_000
const certify = (days: number) =>
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', '/CN=watched', '-days', String(days), '-keyout', '/dev/null'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  ).toString()

function aWatch(settings: RoutedCredential['settings']) {
  const clock = createManualClock(Date.now())
  const told: number[] = []
  const kept: ExpiringCertificate[] = []
  const state = { isDown: false }
  const watch = new CertificateWatch({
    clock,
    onExpiring: ({ withinDays }) => void told.push(withinDays),
    keep: (expiring) => {
      if (state.isDown) return Promise.reject(new Error('the store is away'))
      kept.push(expiring)
      return Promise.resolve()
    },
  })
  const credential = { id: 'crd_1', tenantId: 'ten_1', name: 'bank', settings }
  const use = () => watch.used(credential as unknown as RoutedCredential)
  const useAfter = async (ms: number) => {
    await clock.advance(ms)
    use()
  }
  return { told, kept, state, use, useAfter }
}

test('a certificate is told of 30 days before its end, 7 and 1, once each however often it is used', async () => {
  const { told, kept, use, useAfter } = aWatch({ certificate: certify(40) })
  use()
  expect(told).toEqual([])
  for (const days of [9, 2, 23, 5, 5]) {
    await useAfter(days * dayMs)
    for (let times = 0; times < 3; times++) await useAfter(120_000)
  }
  expect(told).toEqual([30, 7, 1])
  expect(kept.map(({ withinDays }) => withinDays)).toEqual([30, 7, 1])
  expect(kept[0]).toMatchObject({ credentialId: 'crd_1', name: 'bank', fingerprint: kept[1]?.fingerprint })
})

test('what could not be kept for the tenant is tried again at the next look, and told of no second time', async () => {
  const { told, kept, state, use, useAfter } = aWatch({ certificate: certify(6) })
  state.isDown = true
  use()
  await useAfter(60_000)
  state.isDown = false
  use()
  expect([told, kept]).toEqual([[7], []])
  await useAfter(60_000)
  await useAfter(60_000)
  expect(told).toEqual([7])
  expect(kept).toHaveLength(1)
})

test.each([
  ['the authority before the certificate', { certificate: certify(40), ca: certify(6) }, ['ca', 7]],
  ['the certificate before the authority', { certificate: certify(6), ca: certify(20) }, ['certificate', 7]],
  ['an authority of a credential that is a header', { ca: certify(20) }, ['ca', 30]],
  ['of several authorities the last', { ca: certify(2) + certify(20) + certify(3) }, ['ca', 30]],
])('what runs out first is told of: %s', (_what, settings, wanted) => {
  const { kept, use } = aWatch(settings)
  use()
  expect(kept.map(({ part, withinDays }) => [part, withinDays])).toEqual([wanted])
})

test('where an authority lasts that the receiver may have changed to, nothing is told', () => {
  const { kept, told, use } = aWatch({ certificate: certify(90), ca: certify(2) + certify(90) })
  use()
  expect([kept, told]).toEqual([[], []])
})
