/**
 * Aliases that move while they are used. KEYSLOT_POLICY_CASES asks for more uses than the 600 of a
 * usual run.
 */

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Caller } from '../../../src/model/caller.ts'
import {
  callAs,
  here,
  keyStatement,
  newKey,
  newUser,
  ROOT_STATEMENT,
  rootOf,
  useInstallation,
} from '../../operations/installation.ts'

useInstallation()

const USES = Number(process.env.KEYSLOT_POLICY_CASES ?? 600)
const bytes = Buffer.from('x')
const signing = { keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' } as const

/** The ARN of the key that was used, or `undefined` if that was denied. */
type Use = (keyId: string) => Promise<string | undefined>

const encrypt =
  (caller: Caller): Use =>
  async (keyId) =>
    (await callAs(caller, 'Encrypt', { keyId, plaintext: bytes })).keyId
const sign =
  (caller: Caller): Use =>
  async (keyId) =>
    (await callAs(caller, 'Sign', { keyId, message: bytes, signingAlgorithm: 'ECDSA_SHA_256' }))
      .keyId

test.each([
  ['Encrypt', {}, encrypt],
  ['Sign', signing, sign],
] as const)(
  `C5: a moving alias never leads to a key that the caller may not use: ${USES} of %s`,
  async (name, kind, useBy) => {
    const caller = await newUser(`racer-of-${name}`)
    const may = keyStatement({ AWS: caller.arn }, `kms:${name}`)
    const [open, shut] = [await newKey([ROOT_STATEMENT, may], kind), await newKey(undefined, kind)]
    const aliasName = `alias/swap-${name}`
    await callAs(rootOf(), 'CreateAlias', { aliasName, targetKeyId: open.keyId })
    const answers = { open: 0, denied: 0 }
    let left = USES
    const swap = async () => {
      for (let at = 0; left > 0; at += 1) {
        const targetKeyId = at % 2 ? open.keyId : shut.keyId
        await callAs(rootOf(), 'UpdateAlias', { aliasName, targetKeyId })
        // The database answers at once; the token, which the others wait for, does not.
        await setImmediate()
      }
    }
    const use = async () => {
      const useOnce = useBy(caller)
      while (left > 0) {
        left -= 1
        const answer = await useOnce(aliasName).catch((error: Error) => error)
        if (answer instanceof Error) expect(answer.name).toBe('AccessDeniedException')
        else expect(answer).toBe(open.arn)
        answers[answer instanceof Error ? 'denied' : 'open'] += 1
      }
    }
    await Promise.all([swap(), use(), use()])
    expect(answers.open).toBeGreaterThan(0)
    expect(answers.denied).toBeGreaterThan(0)
    // What is on the record is the key that was used.
    const used = here().audit.filter(
      (each) => each.eventName === name && each.outcome === 'succeeded',
    )
    expect(used).toHaveLength(answers.open)
    expect(new Set(used.flatMap(({ resources }) => resources.map(({ ARN }) => ARN)))).toEqual(
      new Set([open.arn]),
    )
  },
  3_600_000,
)
