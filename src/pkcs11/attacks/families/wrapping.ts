/** Wrapping a key out of the token, and wrapping with a key that is not for it. */

import pkcs11js, { type Handle, type Mechanism } from 'pkcs11js'
import { type Answer, type Attacker, mechanismName, outcomeOf } from '../attacker.ts'
import { type AttackerKey, keysOf, payloadOf, trustedKeys } from '../attacker-keys.ts'
import { withParameters } from '../parameters.ts'
import type { Outcome } from '../report.ts'
import type { Target } from '../target.ts'

/** Room for a private key of RSA with a modulus of 4096 bits, wrapped. */
const WRAPPED_BYTES_MAX = 16 * 1024

/** Wraps the key by every mechanism with keys of the attacker's. */
export function* wraps(attacker: Attacker, { handle }: Target): Iterable<Outcome> {
  for (const { mechanism, key } of wrapWays(attacker)) {
    yield outcomeOf(wrapped(attacker, mechanism, key.wraps, handle), () => ({
      gain: 'key out',
      how: `C_WrapKey by ${mechanismName(mechanism)}`,
    }))
  }
}

/** Wraps the key and decrypts what came of it: Clulow 2003. */
export function* clulow(attacker: Attacker, { handle }: Target): Iterable<Outcome> {
  const decrypting = new Set(attacker.mechanismsFor(pkcs11js.CKF_DECRYPT))
  for (const { mechanism, key } of wrapWays(attacker)) {
    if (!decrypting.has(mechanism.mechanism)) continue
    const blob = wrapped(attacker, mechanism, key.wraps, handle)
    if ('refused' in blob) {
      yield blob
      continue
    }
    const opened = attacker.ask('C_Decrypt', (pkcs11, session) => {
      pkcs11.C_DecryptInit(session, mechanism, key.unwraps)
      return pkcs11.C_Decrypt(session, blob.value, Buffer.alloc(WRAPPED_BYTES_MAX))
    })
    yield outcomeOf(opened, (plaintext) => {
      plaintext.fill(0)
      const name = mechanismName(mechanism)
      return { gain: 'key out', how: `C_WrapKey, then C_Decrypt by ${name}` }
    })
  }
}

/** Comes by a wrapping key that the token trusts, and wraps with it. */
export function* trojans(attacker: Attacker, { handle }: Target): Iterable<Outcome> {
  for (const made of trustedKeys(attacker)) {
    if ('refused' in made) {
      yield made
      continue
    }
    if (attacker.read(made.value.wraps, pkcs11js.CKA_TRUSTED)?.[0] !== 1) {
      yield { refused: 'not trusted' }
      continue
    }
    for (const mechanism of wrapMechanisms(attacker)) {
      yield outcomeOf(wrapped(attacker, mechanism, made.value.wraps, handle), () => ({
        gain: 'key out',
        how: `C_WrapKey by ${mechanismName(mechanism)} with a trusted key`,
      }))
    }
  }
}

/** Wraps a key of the attacker's with the key. */
export function* wrapsWithIt(attacker: Attacker, { handle }: Target): Iterable<Outcome> {
  const payload = payloadOf(attacker)
  if (payload === undefined) return
  for (const mechanism of wrapMechanisms(attacker)) {
    yield outcomeOf(wrapped(attacker, mechanism, handle, payload), () => ({
      gain: 'usage added',
      how: `C_WrapKey by ${mechanismName(mechanism)} with the key`,
    }))
  }
}

/** Every mechanism that wraps, with each key of the attacker's. */
export function wrapWays(
  attacker: Attacker,
): readonly { readonly mechanism: Mechanism; readonly key: AttackerKey }[] {
  return keysOf(attacker).flatMap((key) =>
    wrapMechanisms(attacker).map((mechanism) => ({ mechanism, key })),
  )
}

/** Wraps. */
export function wrapped(
  attacker: Attacker,
  mechanism: Mechanism,
  wrapping: Handle,
  key: Handle,
): Answer<Buffer> {
  return attacker.ask('C_WrapKey', (pkcs11, session) =>
    pkcs11.C_WrapKey(session, mechanism, wrapping, key, Buffer.alloc(WRAPPED_BYTES_MAX)),
  )
}

function wrapMechanisms(attacker: Attacker): readonly Mechanism[] {
  return attacker.mechanismsFor(pkcs11js.CKF_WRAP).flatMap(withParameters)
}
