/**
 * The attacks on keys of every kind over the software tokens. Neither is an HSM, and each has holes
 * that no template closes; they stand here one by one, so that another one is noticed.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KEY_SPECS, type KeySpec } from '../../src/model/key-specs.ts'
import { ATTACKS } from '../../src/pkcs11/attacks/attack.ts'
import type { AttackReport, Gain } from '../../src/pkcs11/attacks/report.ts'
import {
  attackToken,
  destroyAttacked,
  type ProcessTask,
  SAID_FD,
  type Said,
} from '../../src/pkcs11/attacks/run.ts'
import { ATTACKED_SPECS } from '../../src/pkcs11/attacks/targets.ts'
import { processEnvironment, processFile } from '../../src/pkcs11/child-process.ts'
import { nss } from './nss.ts'
import { softhsm } from './softhsm.ts'
import type { MadeToken } from './token-kind.ts'

const NAMES = ATTACKS.map(({ name }) => name)
/** After so many lines it attacks its first key. */
const MIDDLE = 5
const FULL = process.env.KEYSLOT_FAULTS === 'full'
/** `keyslot hsm check --attacks` makes RSA keys of every length: here they would take a minute. */
const SPECS: readonly KeySpec[] = ATTACKED_SPECS.filter(
  (spec) => FULL || (spec !== 'RSA_3072' && spec !== 'RSA_4096'),
)
/** One of each type: NSS has three times as many mechanisms to try. */
const SPECS_OF_NSS = SPECS.filter(
  (spec) => FULL || /^(SYMMETRIC_DEFAULT|RSA_2048|ECC_NIST_P256|HMAC_256)$/.test(spec),
)
/** Of symmetric keys three, a usage of each other spec, two wrapping keys, a data key pair. */
const kindsOf = (specs: readonly KeySpec[]) =>
  3 + specs.flatMap((spec) => KEY_SPECS[spec].usages).length - 1 + 2 + 1
/** Attacks that succeed on a token, by what they gain. */
const HOLES: Readonly<Record<string, Partial<Record<Gain, readonly string[]>>>> = {
  // It digests keys that may not leave it, private ones too: the digest of Ed25519's is the key.
  SoftHSM: { 'key out': ['C_DigestKey'], 'usage added': ['C_DigestKey'] },
  // It asks no key for CKA_EXTRACTABLE and CKA_WRAP_WITH_TRUSTED when it wraps, and copies them.
  'NSS softokn': {
    'key out': [
      'C_WrapKey with a key of the attacker',
      'wrap, then decrypt (Clulow)',
      'trusted wrapping key of the attacker',
    ],
    'attribute loosened': ['C_CopyObject'],
    'usage added': [
      'C_CopyObject',
      're-import in two roles',
      'concatenate, extract, XOR',
      'C_SignInit',
      'C_SignRecoverInit',
      'C_DeriveKey with a free template',
    ],
  },
}

for (const { name, missing, make } of [softhsm, nss]) {
  if (missing !== undefined) console.log(`SKIPPED: attacks on ${name}: ${missing}`)
  describe.skipIf(missing !== undefined)(name, () => {
    let token: MadeToken
    let report: AttackReport
    const specs = name === 'SoftHSM' ? SPECS : SPECS_OF_NSS
    beforeAll(async () => {
      token = await make()
      report = await attackToken({ settings: token.settings, specs })
    })
    afterAll(async () => {
      await token?.remove()
    })

    test('every kind of key has been attacked, or the token does not make it', () => {
      expect(report.keys.length + report.notMade.length).toBe(kindsOf(specs))
      expect(report.rows.map(({ attack }) => attack)).toEqual(expect.arrayContaining(NAMES))
      console.log(name, sum(report.rows.map(({ tries }) => tries)), 'tries')
    })

    test('no attack succeeds but those that no template stops', () => {
      const by = Object.groupBy(report.successes, ({ gain }) => gain)
      const attacks = Object.entries(by).map(([gain, all]) => [
        gain,
        [...new Set(all.map(({ attack }) => attack))],
      ])
      expect(Object.fromEntries(attacks)).toEqual(HOLES[name])
    })

    test('of keys that a digest lets out there is only Ed25519', () => {
      const out = report.successes.filter(
        ({ attack, gain }) => attack === 'C_DigestKey' && gain === 'key out',
      )
      expect(out.map(({ key }) => key)).toEqual(
        name === 'SoftHSM' ? ['ECC_NIST_EDWARDS25519 for SIGN_VERIFY'] : [],
      )
    })
  })
}

describe.skipIf(softhsm.missing !== undefined)('attacks that do not come to their end', () => {
  let token: MadeToken
  beforeAll(async () => {
    token = await softhsm.make()
  })
  afterAll(async () => {
    await token?.remove()
  })

  test('destroy their keys when they are told to end', async () => {
    const { code, said } = await attackedUntil(token, 'SIGTERM')
    expect(said.at(-1)).toEqual({ kind: 'failed', reason: 'interrupted by SIGTERM' })
    expect(code).toBe(0)
    expect(objectsIn(token)).toEqual([])
  })

  test('leave keys behind when they are killed, which the next run destroys', async () => {
    await attackedUntil(token, 'SIGKILL')
    expect(objectsIn(token)).toHaveLength(1)
    await destroyAttacked(token.settings)
    expect(objectsIn(token)).toEqual([])
  })
})

/** Sends a signal to the process that attacks in the middle of its work. */
async function attackedUntil({ settings }: MadeToken, signal: 'SIGTERM' | 'SIGKILL') {
  const child = spawn(process.execPath, [processFile('../attacks/process')], {
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    env: processEnvironment(settings.moduleEnvironment),
  })
  const exited = once(child, 'exit')
  const task: ProcessTask = { settings, specs: ['HMAC_256'], done: [] }
  child.stdin?.end(JSON.stringify(task))
  const said: Said[] = []
  for await (const line of createInterface({ input: child.stdio[SAID_FD] as Readable })) {
    said.push(JSON.parse(line))
    if (said.length === MIDDLE) child.kill(signal)
  }
  const [code] = await exited
  return { code, said }
}

/** The files of objects, the token's own left out. */
function objectsIn({ settings }: MadeToken): readonly string[] {
  const files = readdirSync(join(dirname(settings.pinFile), 'tokens'), { recursive: true })
  return files.map(String).filter((file) => /(?<!token)\.object$/.test(file))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
