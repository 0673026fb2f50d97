import { expect, test } from 'vitest'
import { maskArguments, secretFlags } from '../../src/cli/process-title.ts'
import { flagName, settingList } from '../../src/config/schema.ts'

test.each([
  ['--store postgres://app:s3cret@db/hooks', '--store postgres://app:***@db/hooks'],
  [
    '--store=postgres://app:s3@cret@db:5432/hooks?schema=a',
    '--store=postgres://app:***@db:5432/hooks?schema=a',
  ],
  [
    '--store postgres://db/hooks?user=a&password=s3cret&schema=b',
    '--store postgres://db/hooks?user=a&password=***&schema=b',
  ],
  ['--to postgresql://:s3cret@db/hooks', '--to postgresql://:***@db/hooks'],
  ['--master-key s3cret --port 1', '--master-key *** --port 1'],
  ['--admin-token=s3cret', '--admin-token=***'],
  ['keys list --token s3cret', 'keys list --token ***'],
])('"%s" is shown as "%s"', (given, shown) => {
  expect(maskArguments(given.split(' '))).toEqual(shown.split(' '))
})

test('a command line without secrets stays as it is', () => {
  const given = 'serve --store postgres://app@db:5432/hooks --config a@b:c.json --port 8080'.split(' ')
  expect(maskArguments(given)).toBeNull()
})

test('every setting that is a secret is masked', () => {
  const secret = settingList.filter(([, setting]) => setting.secret === true)
  expect(secret.length).toBeGreaterThan(1)
  for (const [, setting] of secret) expect(secretFlags).toContain(flagName(setting))
})
