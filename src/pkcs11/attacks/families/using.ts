/** Using a key for what it is not for: every function by every mechanism that the token offers. */

import { randomBytes } from 'node:crypto'
import pkcs11js, { type Handle, type Mechanism, type PKCS11 } from 'pkcs11js'
import { TokenError, tokenError } from '../../token/return-values.ts'
import { type Attacker, mechanismName, outcomeOf } from '../attacker.ts'
import { withParameters } from '../parameters.ts'
import type { Outcome } from '../report.ts'
import { isFor, modulusBytes, type Target, type Use, usedOtherwise } from '../target.ts'

/** Room for whatever comes out. */
const OUTPUT_BYTES = 1024
const INPUT_BYTES = 32

/** A function that uses a key. */
interface KeyFunction {
  readonly name: string
  readonly use: Use
  /** CKF_… of the mechanisms that it takes. */
  readonly flag: number
  readonly begin: (pkcs11: PKCS11, session: Handle, mechanism: Mechanism, key: Handle) => void
  readonly finish: (pkcs11: PKCS11, session: Handle, input: Buffer) => void
}

const output = () => Buffer.alloc(OUTPUT_BYTES)

const FUNCTIONS: readonly KeyFunction[] = [
  {
    name: 'C_EncryptInit',
    use: 'CKA_ENCRYPT',
    flag: pkcs11js.CKF_ENCRYPT,
    begin: (pkcs11, ...input) => pkcs11.C_EncryptInit(...input),
    finish: (pkcs11, session, input) => void pkcs11.C_Encrypt(session, input, output()),
  },
  {
    name: 'C_DecryptInit',
    use: 'CKA_DECRYPT',
    flag: pkcs11js.CKF_DECRYPT,
    begin: (pkcs11, ...input) => pkcs11.C_DecryptInit(...input),
    finish: (pkcs11, session, input) => void pkcs11.C_Decrypt(session, input, output()),
  },
  {
    name: 'C_SignInit',
    use: 'CKA_SIGN',
    flag: pkcs11js.CKF_SIGN,
    begin: (pkcs11, ...input) => pkcs11.C_SignInit(...input),
    finish: (pkcs11, session, input) => void pkcs11.C_Sign(session, input, output()),
  },
  {
    name: 'C_SignRecoverInit',
    use: 'CKA_SIGN_RECOVER',
    flag: pkcs11js.CKF_SIGN_RECOVER,
    begin: (pkcs11, ...input) => pkcs11.C_SignRecoverInit(...input),
    finish: (pkcs11, session, input) => void pkcs11.C_SignRecover(session, input, output()),
  },
  {
    name: 'C_VerifyInit',
    use: 'CKA_VERIFY',
    flag: pkcs11js.CKF_VERIFY,
    begin: (pkcs11, ...input) => pkcs11.C_VerifyInit(...input),
    finish: (pkcs11, session, input) => void pkcs11.C_Verify(session, input, input),
  },
  {
    name: 'C_VerifyRecoverInit',
    use: 'CKA_VERIFY_RECOVER',
    flag: pkcs11js.CKF_VERIFY_RECOVER,
    begin: (pkcs11, ...input) => pkcs11.C_VerifyRecoverInit(...input),
    finish: (pkcs11, session, input) => void pkcs11.C_VerifyRecover(session, input, output()),
  },
]

/** Answers to the second call that say the token does not use the key, though it began to. */
const REFUSALS: readonly string[] = [
  'CKR_ACTION_PROHIBITED',
  'CKR_FUNCTION_NOT_SUPPORTED',
  'CKR_KEY_FUNCTION_NOT_PERMITTED',
  'CKR_KEY_HANDLE_INVALID',
  'CKR_KEY_SIZE_RANGE',
  'CKR_KEY_TYPE_INCONSISTENT',
  'CKR_MECHANISM_INVALID',
  'CKR_MECHANISM_PARAM_INVALID',
]

/** An attack for each function. */
export const usages = FUNCTIONS.map((keyFunction) => ({
  name: keyFunction.name,
  *run(attacker: Attacker, target: Target): Iterable<Outcome> {
    const { use, flag } = keyFunction
    const others = attacker.mechanismsFor(flag).filter((number) => !isFor(target, use, number))
    for (const mechanism of others.flatMap(withParameters)) {
      yield used(attacker, keyFunction, mechanism, target)
    }
  },
}))

/**
 * Digests the key itself. No attribute tells a token to refuse that. Of a secret as long as ours the
 * digest is of no use; of Ed25519 that by SHA-512 is what signs (RFC 8032, section 5.1.5).
 */
export function* digests(attacker: Attacker, { handle, isEdwards }: Target): Iterable<Outcome> {
  for (const mechanism of attacker.mechanismsFor(pkcs11js.CKF_DIGEST)) {
    const answer = attacker.ask('C_DigestKey', (pkcs11, session) => {
      pkcs11.C_DigestInit(session, { mechanism })
      pkcs11.C_DigestKey(session, handle)
      pkcs11.C_DigestFinal(session, output()).fill(0)
    })
    const isTheKey = isEdwards && mechanism === pkcs11js.CKM_SHA512
    yield outcomeOf(answer, () => ({
      gain: isTheKey ? 'key out' : 'usage added',
      how: `C_DigestKey by ${mechanismName({ mechanism })}`,
    }))
  }
}

function used(
  attacker: Attacker,
  { name, use, begin, finish }: KeyFunction,
  mechanism: Mechanism,
  target: Target,
): Outcome {
  const { handle, rsa } = target
  const bytes = rsa === undefined ? INPUT_BYTES : modulusBytes(rsa)
  const input = randomBytes(bytes)
  input[0] = 0
  const answer = attacker.ask(name, (pkcs11, session) => {
    begin(pkcs11, session, mechanism, handle)
    try {
      finish(pkcs11, session, input)
    } catch (cause) {
      const error = tokenError(name, cause)
      if (!(error instanceof TokenError)) throw error
      // Whatever it says of the input: it has used the key.
      if (REFUSALS.includes(error.value.name)) throw error
    }
  })
  const how = `${name} by ${mechanismName(mechanism)}`
  return outcomeOf(answer, () => usedOtherwise(target, use, how))
}
