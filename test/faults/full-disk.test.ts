/**
 * Database and token on a disk that is full: what cannot be kept is not acknowledged, and what is
 * there stays. The disk is a small tmpfs, which only root may mount; elsewhere this is skipped.
 */

import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { destroyKey } from '../../src/lifecycle/destroy.ts'
import { reconcile } from '../../src/lifecycle/reconcile.ts'
import { rotateKey } from '../../src/lifecycle/rotate.ts'
import { softhsmConfiguration } from '../../src/pkcs11/profiles/softhsm.ts'
import { expectWhole } from '../lifecycle/fixture.ts'
import {
  authorised,
  decrypt,
  encrypt,
  makeDueKey,
  makeKey,
  openPair,
  type Pair,
} from '../lifecycle/pair.ts'
import { makeToken, type TestToken } from '../pkcs11/token.ts'

const FULL = process.env.KEYSLOT_FAULTS === 'full'
const DISK_BYTES = 4 * 1024 * 1024
const PAGE_BYTES = 4096
/** How many pages are left when a change begins: each number lets it come a little further. */
const PAGES_LEFT = Array.from({ length: FULL ? 48 : 3 }, (_, at) => (FULL ? at : at * 7))

const disk = mkdtempSync(join(tmpdir(), 'keyslot-disk-'))
const why = mounted()
if (why !== undefined) console.log(`skipped: ${why}`)

let token: TestToken
let pair: Pair
let settings: TestToken['settings']
const database = join(disk, 'keyslot.db')
const filler = join(disk, 'filler')
/** Acknowledged. */
const blobs: { readonly keyId: string; readonly blob: string }[] = []

beforeAll(async () => {
  if (why !== undefined) return
  token = await makeToken()
  const tokens = join(disk, 'tokens')
  cpSync(join(token.directory, 'tokens'), tokens, { recursive: true })
  const configuration = join(token.directory, 'on-disk.conf')
  writeFileSync(configuration, softhsmConfiguration(tokens))
  settings = { ...token.settings, moduleEnvironment: { SOFTHSM2_CONF: configuration } }
  pair = await openPair(settings, database)
})
afterAll(async () => {
  if (why === undefined) {
    await pair.close()
    token.remove()
    execFileSync('umount', ['--lazy', disk])
  }
  rmSync(disk, { recursive: true, force: true })
})

/** Mounts the disk; answers why not. */
function mounted(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root mounts a disk'
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk])
    return undefined
  } catch {
    return 'a tmpfs cannot be mounted here'
  }
}

function fillBut(pages: number): void {
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - pages * PAGE_BYTES)))
}

const CHANGES: readonly { what: string; prepare: () => Promise<() => Promise<unknown>> }[] = [
  { what: 'create', prepare: async () => () => acknowledged() },
  {
    what: 'rotate',
    prepare: async () => {
      const key = await acknowledged()
      return async () => {
        const rotated = await rotateKey(pair.services, key, 'ON_DEMAND')
        blobs.push({ keyId: key.keyId, blob: await encrypt(pair, authorised(rotated)) })
      }
    },
  },
  {
    what: 'destroy',
    prepare: async () => {
      const key = await makeDueKey(pair.services)
      return async () => {
        await destroyKey(pair.services, key)
        expect(await pair.store.keys.find(key.keyId)).toBeUndefined()
      }
    },
  },
]

async function acknowledged() {
  const key = await makeKey(pair.services)
  blobs.push({ keyId: key.keyId, blob: await encrypt(pair, key) })
  return key
}

async function expectKept(): Promise<void> {
  for (const { keyId, blob } of blobs) expect(await decrypt(pair, blob)).toBe(`for ${keyId}`)
}

describe.skipIf(why !== undefined)('with a disk that is full', () => {
  describe.each(CHANGES)('$what', ({ prepare }) => {
    test.each(PAGES_LEFT)('with %i pages left', { timeout: 120_000 }, async (pages) => {
      const change = await prepare()
      fillBut(pages)
      await change().catch(() => undefined)
      await expectKept()
      // What a process remembers may be more than what the disk holds.
      await pair.close()
      rmSync(filler)
      pair = await openPair(settings, database)
      const report = await reconcile(pair.services, { patienceMs: 0 })
      expect(report).toMatchObject({ waiting: [], unexplained: [], missing: [], returned: [] })
      await expectKept()
      await expectWhole(pair)
    })
  })

  test('it serves the keys that there are, or does not start', async () => {
    await acknowledged()
    fillBut(0)
    await expectKept()
    await pair.close()
    const started = await openPair(settings, database).catch((cause: unknown) => String(cause))
    if (typeof started === 'string') expect(started).toMatch(/disk/)
    else await started.close()
    rmSync(filler)
    pair = await openPair(settings, database)
    await expectKept()
    await expectWhole(pair)
  })
})
