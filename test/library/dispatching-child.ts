/** A program that dispatches from the store of its first argument, until it is killed. */
import { Outhook } from '../../src/index.ts'

await Outhook.open({
  store: process.argv[2] ?? '',
  masterKey: process.argv[3] ?? '',
  allowHttp: true,
  allowNetworks: ['127.0.0.0/8'],
})
process.stdout.write('ready\n')
setInterval(() => {}, 1000)
