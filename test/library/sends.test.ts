import { Outhook } from '../../src/index.ts'
import { describeSends } from './send-cases.ts'

describeSends(() => Outhook.open({ store: 'memory:', allowHttp: true, allowNetworks: ['127.0.0.0/8'] }))
