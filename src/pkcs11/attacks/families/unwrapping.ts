/** Unwrapping into keys that are freer than what was wrapped, or that nobody has made. */

import { constants, publicEncrypt, randomBytes } from 'node:crypto'
import pkcs11js, { type Handle, type Mechanism } from 'pkcs11js'
import { type Answer, type Attacker, mechanismName, outcomeOf } from '../attacker.ts'
import { freeTemplate } from '../attacker-keys.ts'
import { withParameters } from '../parameters.ts'
import type { Outcome } from '../report.ts'
import { isFor, modulusBytes, type Target, usedOtherwise } from '../target.ts'
import { wrapped, wrapWays } from './wrapping.ts'

const AES_BYTES = 32
/** Of a secret, by AES Key Wrap. */
const WRAPPED_BYTES = AES_BYTES + 8

/** Wraps the key and unwraps it again with two roles: Delaune, Kremer and Steel 2008. */
export function* reImports(attacker: Attacker, { handle }: Target): Iterable<Outcome> {
  for (const { mechanism, key } of wrapWays(attacker)) {
    const blob = wrapped(attacker, mechanism, key.wraps, handle)
    if ('refused' in blob) {
      yield blob
      continue
    }
    const again = unwrapped(attacker, mechanism, key.unwraps, blob.value)
    yield outcomeOf(again, (freed) => {
      attacker.destroy(freed)
      const name = mechanismName(mechanism)
      return { gain: 'usage added', how: `C_WrapKey, then C_UnwrapKey by ${name} in two roles` }
    })
  }
}

/**
 * Unwraps random bytes with the key, and of RSA a key of the attacker's own under the public half,
 * by every mechanism. By its own mechanism, a wrapping key unwraps what is made for it.
 */
export function* conjurings(attacker: Attacker, target: Target): Iterable<Outcome> {
  const mechanisms = attacker.mechanismsFor(pkcs11js.CKF_UNWRAP).flatMap(withParameters)
  for (const mechanism of mechanisms) {
    const isAllowed = isFor(target, 'CKA_UNWRAP', mechanism.mechanism)
    const how = `C_UnwrapKey by ${mechanismName(mechanism)} with the key`
    const conjured = unwrapped(attacker, mechanism, target.handle, randomInput(target))
    yield outcomeOf(conjured, () => ({ gain: 'usage added', how: `${how}, of random bytes` }))
    const made = ownInput(target, mechanism)
    if (made === undefined || isAllowed) continue
    const own = unwrapped(attacker, mechanism, target.handle, made)
    yield outcomeOf(own, () => usedOtherwise(target, 'CKA_UNWRAP', how))
  }
}

function unwrapped(
  attacker: Attacker,
  mechanism: Mechanism,
  key: Handle,
  blob: Buffer,
): Answer<Handle> {
  return attacker.ask('C_UnwrapKey', (pkcs11, session) =>
    pkcs11.C_UnwrapKey(session, mechanism, key, blob, freeTemplate(pkcs11js.CKK_AES)),
  )
}

function randomInput({ rsa }: Target): Buffer {
  if (rsa === undefined) return randomBytes(WRAPPED_BYTES)
  const bytes = randomBytes(modulusBytes(rsa))
  // Less than the modulus.
  bytes[0] = 0
  return bytes
}

/** A key of the attacker's own, as the mechanism would take it. */
function ownInput({ rsa }: Target, { mechanism }: Mechanism): Buffer | undefined {
  if (rsa === undefined) return undefined
  const { RSA_PKCS1_PADDING, RSA_NO_PADDING } = constants
  if (mechanism === pkcs11js.CKM_RSA_PKCS) {
    return publicEncrypt({ key: rsa, padding: RSA_PKCS1_PADDING }, randomBytes(AES_BYTES))
  }
  if (mechanism === pkcs11js.CKM_RSA_PKCS_OAEP) {
    return publicEncrypt({ key: rsa, oaepHash: 'sha1' }, randomBytes(AES_BYTES))
  }
  if (mechanism !== pkcs11js.CKM_RSA_X_509) return undefined
  const block = Buffer.alloc(modulusBytes(rsa))
  block.set(randomBytes(AES_BYTES), block.length - AES_BYTES)
  return publicEncrypt({ key: rsa, padding: RSA_NO_PADDING }, block)
}
