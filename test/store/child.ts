/**
 * A second process with the same store, for the tests: it is given the database's path, and then
 * commands, one a line, each of which it answers with a line once it is done.
 */

import { createInterface } from 'node:readline'
import { openStore } from '../../src/store/database.ts'
import { insertKey } from './fixture.ts'

const [path = '', work = 'commands'] = process.argv.slice(2)
const store = await openStore({ path })

if (work === 'insert') {
  for (;;) {
    const { keyId } = await insertKey(store, { description: 'acknowledged' })
    process.stdout.write(`${keyId}\n`)
  }
}

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [command, keyId = '', description = ''] = line.split(' ')
  if (command === 'describe') {
    const key = await store.keys.change(keyId, 'Enabled', { description })
    process.stdout.write(`${key?.description}\n`)
  } else {
    const key = await store.keys.find(keyId)
    process.stdout.write(`${key?.description}\n`)
  }
}
await store.close()
