import { expect, test } from 'vitest'
import { parseDomain, refuseDomain } from '../../src/core/domains.ts'

test.each([
  ['example.com', 'example.com'],
  ['  Example.COM. ', 'example.com'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['ｅｘａｍｐｌｅ.com', 'example.com'],
  ['a_b.test', 'a_b.test'],
  ['localhost', 'localhost'],
  ['127.1', '127.0.0.1'],
  ['::1', '::1'],
  ['[0:0::1]', '::1'],
  ['::ffff:127.0.0.1', '::ffff:7f00:1'],
])('the domain %j is read as %s', (text, domain) => {
  expect(parseDomain(text)).toBe(domain)
})

test.each([
  ...['', ' ', '.', '*', '*.a.test', '.a.test', 'a..b', 'a b', 'a.test/', 'a.test/x', 'a.test?x', 'a.test#x'],
  ...[
    'a.test:80',
    'a.test:',
    'u@a.test',
    'https://a.test',
    'a\\b',
    '%61.test',
    '[::1]:80',
    '[::1',
    '1.2.3.4.5',
  ],
  ...['a'.repeat(64), `${'a.'.repeat(127)}a`, `${'ü'.repeat(60)}.test`, 'a\u0000b', 'a\nb'],
])('%j is no domain', (text) => {
  expect(parseDomain(text)).toBeNull()
})

const refused = (host: string, domains: readonly string[]) =>
  refuseDomain(new URL(`https://${host}/`), domains)

test.each([
  ['example.com', 'example.com'],
  ['EXAMPLE.com', 'example.com'],
  ['example.com.', 'example.com'],
  ['a.b.example.com', 'example.com'],
  ['[::1]', '::1'],
  ['[0:0::1]', '::1'],
])('S4.5 %s is authorized by %s', (host, domain) => {
  expect(refused(host, ['other.test', domain])).toBeNull()
  expect(refused(host, [])).toBeNull()
})

test.each([
  ['evilexample.com', 'example.com'],
  ['example.com.evil.test', 'example.com'],
  ['example.co', 'example.com'],
  ['example-com', 'example.com'],
  ['com', 'example.com'],
  ['[::1]', '::2'],
])('S4.5 %s is not authorized by %s', (host, domain) => {
  expect(refused(host, [domain])).toMatch(/^Domain not authorized: /)
})
