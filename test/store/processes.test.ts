/** Several processes with one store: changes are seen at once, and survive a kill. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import type { Readable, Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openStore } from '../../src/store/database.ts'
import { insertKey, place, temporaryDirectory, temporaryStore } from './fixture.ts'

function startChild(path: string, work: 'commands' | 'insert') {
  const program = join(import.meta.dirname, 'child.ts')
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    process.execPath,
    [program, path, work],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<string | undefined> => (await lines.next()).value
  return { child, nextLine }
}

describe('a change that another process has acknowledged', () => {
  test('is what every later read sees', async () => {
    const { store, path, end } = await temporaryStore()
    const { keyId } = await insertKey(store, { description: '0' })
    const { child, nextLine } = startChild(path, 'commands')
    expect(await nextLine()).toBe('ready')
    const ask = (line: string) => {
      child.stdin.write(`${line}\n`)
      return nextLine()
    }
    for (let round = 1; round <= 60; round++) {
      // Held in memory on both sides before each change.
      await store.keys.find(keyId)
      const theirs = await ask(`describe ${keyId} theirs-${round}`)
      expect((await store.keys.find(keyId))?.description).toBe(theirs)
      const ours = await store.keys.change(keyId, 'Enabled', { description: `ours-${round}` })
      expect(await ask(`find ${keyId}`)).toBe(ours?.description)
    }
    child.stdin.end()
    await once(child, 'exit')
    await end()
  })

  test('is seen whatever else is done to the database in between', async () => {
    const { store, path, end } = await temporaryStore()
    const { keyId } = await insertKey(store)
    const other = new DatabaseSync(path, { timeout: 5000 })
    const truth = other.prepare('select description from keys where key_id = ?')
    const describeKey = other.prepare('update keys set description = ? where key_id = ?')
    let count = 0
    const steps: Record<string, () => unknown> = {
      theirs: () => describeKey.run(`${count++}`, keyId),
      ours: () => store.keys.change(keyId, 'Enabled', { description: `${count++}` }),
      elsewhere: () => insertKey(store),
      read: () => truth.get(keyId),
      passive: () => other.exec('pragma wal_checkpoint(passive)'),
      truncate: () => other.exec('pragma wal_checkpoint(truncate)'),
      vacuum: () => other.exec('vacuum'),
      rolledBack: () => {
        other.exec('begin immediate')
        describeKey.run('never', keyId)
        other.exec('rollback')
      },
    }
    const names = fc.array(fc.constantFrom(...Object.keys(steps)), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(names, async (chosen) => {
        for (const name of chosen) {
          await steps[name]?.()
          // Of another process one hears in a turn of its own.
          await setImmediate()
          const found = await store.keys.find(keyId)
          expect(found?.description).toBe(truth.get(keyId)?.description)
        }
      }),
      { numRuns: 25 },
    )
    other.close()
    await end()
  })
})

describe('a process that is killed', () => {
  test('leaves every change that it acknowledged', async () => {
    const { directory, remove } = temporaryDirectory()
    const path = join(directory, 'keyslot.db')
    const acknowledged: string[] = []
    for (const rounds of [1, 7, 40]) {
      const { child, nextLine } = startChild(path, 'insert')
      for (let line = 0; line < rounds; line++) acknowledged.push((await nextLine()) ?? 'nothing')
      child.kill('SIGKILL')
      await once(child, 'exit')
      // What it said before it died counts too.
      for (let line = await nextLine(); line !== undefined; line = await nextLine()) {
        acknowledged.push(line)
      }
      const store = await openStore({ path })
      for (const keyId of acknowledged) {
        expect(await store.keys.find(keyId)).toMatchObject({ description: 'acknowledged' })
      }
      // At most the insertion that the kill cut short is there beside them.
      const listed = await store.keys.list(place, { limit: 1000 })
      const unsaid = listed.filter(({ keyId }) => !acknowledged.includes(keyId))
      expect(unsaid.length).toBeLessThanOrEqual(1)
      acknowledged.push(...unsaid.map(({ keyId }) => keyId))
      await store.close()
    }
    const database = new DatabaseSync(path)
    expect(database.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' })
    database.close()
    remove()
  })

  test('leaves a new store that can be opened', async () => {
    const { directory, remove } = temporaryDirectory()
    for (const delayMs of [60, 90, 120, 150]) {
      const path = join(directory, `${delayMs}.db`)
      const { child } = startChild(path, 'commands')
      setTimeout(() => child.kill('SIGKILL'), delayMs)
      await once(child, 'exit')
      const store = await openStore({ path })
      expect(await store.keys.count(place)).toBe(0)
      await store.close()
    }
    remove()
  })
})
