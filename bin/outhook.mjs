#!/usr/bin/env node
// Old syntax and no static imports: this file must run, and explain itself, on any Node that knows modules.
var required = [22, 19]
var running = process.versions.node.split('.').map(Number)

if (running[0] < required[0] || (running[0] === required[0] && running[1] < required[1])) {
  process.stderr.write(
    'outhook needs Node.js ' +
      required.join('.') +
      ' or newer, and this is ' +
      process.versions.node +
      '. Install a newer one from https://nodejs.org and run the command again.\n',
  )
  process.exit(1)
}

import('../dist/cli/main.js').catch(function (error) {
  process.stderr.write('outhook could not start: ' + ((error && error.stack) || error) + '\n')
  process.exit(1)
})
