/**
 * The keys that are attacked: made by the code that makes keyslot's own, with ids of their own and
 * a label by which they are found again and destroyed, whatever has become of the attacks.
 */

import { type KeyObject, randomBytes } from 'node:crypto'
import pkcs11js, { type Handle } from 'pkcs11js'
import { NONCE_BYTES } from '../../model/ciphertext.ts'
import { KEY_SPECS, type KeyKind, type KeySpec, keySpecRow } from '../../model/key-specs.ts'
import type { BackingKeyKind } from '../hsm.ts'
import {
  type UnwrappingWay,
  wrappingKeyTemplate,
  wrappingPublicKeyTemplate,
} from '../import/templates.ts'
import { publicKeyFrom, readPublicKey } from '../kinds/public-keys.ts'
import {
  checkObject,
  makeObject,
  proveObject,
  type TokenKind,
  templateOf,
} from '../process/backing-key.ts'
import { labelOf, tokenKeys } from '../process/object-search.ts'
import { CKK_EC_EDWARDS, generationOf } from '../token/mechanisms.ts'
import type { TokenSession } from '../token/session.ts'
import {
  derivedKeyTemplate,
  type FixedAttribute,
  ID_BYTES,
  type ObjectName,
  proofKeyTemplate,
  templateFaults,
} from '../token/templates.ts'
import { type Target, USES, type Use } from './target.ts'

/** The label of every key that is made to be attacked. No backing key has one like it. */
export const ATTACKED_LABEL = 'keyslot-attacked'

const WRAPPING_BITS = 2048

/** What is known of the token under attack. */
export interface AttackedToken extends TokenKind {
  /** Whether it derives: without that there are no keys of suite 1. */
  readonly derives: boolean
  /** Why it makes no keys of a kind. */
  readonly lacks: (kind: KeyKind) => string | undefined
}

/** A key to attack, before it is made. */
export interface TargetPlan {
  readonly name: string
  /** Why the token does not make it; absent where it does. */
  readonly lack?: string
  /** Makes it; it is in the token, or in the session, until it is destroyed. */
  readonly make: (session: TokenSession) => MadeTarget
}

/** A key to attack. */
export interface MadeTarget {
  readonly target: Target
  /**
   * Reads it back and uses it, once the attacks are over.
   *
   * @throws Error when it is not as it was made, or gone.
   */
  readonly check: (session: TokenSession) => void
}

/** Every kind of key that keyslot makes, the canary's being that of suite 2. */
export function targetPlans(
  token: AttackedToken,
  specs: readonly KeySpec[],
): readonly TargetPlan[] {
  const symmetric = specs.includes('SYMMETRIC_DEFAULT')
  const others = specs.filter((spec) => spec !== 'SYMMETRIC_DEFAULT')
  return [
    ...(symmetric ? symmetricPlans(token) : []),
    ...others.flatMap((spec) =>
      keySpecRow(spec).usages.map((usage) => kindPlan(token, { spec, usage })),
    ),
    ...(['unwraps', 'decrypts'] as const).map((way) => wrappingPlan(token, way)),
  ]
}

/** The specs of which keyslot makes keys. */
export const ATTACKED_SPECS: readonly KeySpec[] = (Object.keys(KEY_SPECS) as KeySpec[]).filter(
  (spec) => keySpecRow(spec).refused === undefined,
)

/** Destroys the keys that were made to be attacked, those of an interrupted run too. */
export function destroyTargets(session: TokenSession): void {
  for (const handle of tokenKeys(session)) {
    if (labelOf(session, handle) === ATTACKED_LABEL) session.destroyObject(handle)
  }
}

/** Secret and private keys that are session objects, whoever has made them. */
export function sessionKeys(session: TokenSession): readonly Handle[] {
  return [pkcs11js.CKO_SECRET_KEY, pkcs11js.CKO_PRIVATE_KEY].flatMap((value) =>
    session.find([
      { type: pkcs11js.CKA_CLASS, value },
      { type: pkcs11js.CKA_TOKEN, value: false },
    ]),
  )
}

function symmetricPlans(token: AttackedToken): readonly TargetPlan[] {
  const lack = token.derives ? undefined : 'the token does not derive'
  return [
    { ...backingKeyPlan(token, 'SYMMETRIC_DEFAULT in suite 1', { suite: 1 }), lack },
    backingKeyPlan(token, 'SYMMETRIC_DEFAULT in suite 2', { suite: 2 }),
    { ...derivedKeyPlan(token), lack },
  ]
}

function kindPlan(token: AttackedToken, kind: KeyKind): TargetPlan {
  const lack = token.lacks(kind)
  return { ...backingKeyPlan(token, `${kind.spec} for ${kind.usage}`, kind), lack }
}

function backingKeyPlan(token: AttackedToken, name: string, kind: BackingKeyKind): TargetPlan {
  const label = newName()
  const allowed = () => {
    if (kind.suite === undefined) return generationOf(kind, token.proved).allowed
    return [kind.suite === 1 ? pkcs11js.CKM_AES_CBC_ENCRYPT_DATA : pkcs11js.CKM_AES_GCM]
  }
  return {
    name,
    make(session) {
      const { handle, publicKey } = makeObject(session, label, kind, token)
      const half = publicKey && publicKeyFrom(publicKey)
      const template = templateOf(label, kind, token)
      return {
        target: targetOf({ name, allowed: allowed() }, handle, template, half),
        check(after) {
          checkObject(after, handle, label, kind, token)
          proveObject(after, handle, kind, publicKey, token)
        },
      }
    },
  }
}

/** A session key that is derived from a backing key to encrypt with. */
function derivedKeyPlan({ profile }: AttackedToken): TargetPlan {
  const name = 'key derived in suite 1'
  const template = derivedKeyTemplate(profile)
  return {
    name,
    make(session) {
      const base = session.generateKey(proofKeyTemplate('derives'))
      const handle = session.derive(base, randomBytes(NONCE_BYTES))
      return {
        target: targetOf({ name, allowed: [pkcs11js.CKM_AES_GCM] }, handle, template),
        check: (after) => readsAs(after, handle, template),
      }
    },
  }
}

/** A wrapping key: those of other lengths differ in nothing else. */
function wrappingPlan({ profile }: AttackedToken, way: UnwrappingWay): TargetPlan {
  const { CKM_RSA_PKCS_OAEP, CKM_RSA_X_509, CKM_RSA_PKCS_KEY_PAIR_GEN } = pkcs11js
  const template = wrappingKeyTemplate(newName(), way, profile)
  const named = {
    name: `wrapping key that ${way}`,
    allowed: [way === 'unwraps' ? CKM_RSA_PKCS_OAEP : CKM_RSA_X_509],
  }
  return {
    name: named.name,
    make(session) {
      const { publicKey, privateKey } = session.generateKeyPair(
        CKM_RSA_PKCS_KEY_PAIR_GEN,
        wrappingPublicKeyTemplate(WRAPPING_BITS),
        template,
      )
      const half = readPublicKey(session, publicKey, 'RSA_2048')
      return {
        target: targetOf(named, privateKey, template, half),
        check: (after) => readsAs(after, privateKey, template),
      }
    },
  }
}

/** What a key is for, as its template says. */
export function targetOf(
  { name, allowed }: { readonly name: string; readonly allowed: readonly number[] },
  handle: Handle,
  template: readonly FixedAttribute[],
  publicKey?: KeyObject,
): Target {
  const has = (attribute: string, value: FixedAttribute['value']) =>
    template.some((one) => one.name === attribute && one.value === value)
  return {
    name,
    handle,
    isSecret: has('CKA_CLASS', pkcs11js.CKO_SECRET_KEY),
    isEdwards: has('CKA_KEY_TYPE', CKK_EC_EDWARDS),
    uses: (Object.keys(USES) as Use[]).filter((use) => has(use, true)),
    allowed,
    isBound: template.some((one) => one.name === 'CKA_ALLOWED_MECHANISMS'),
    rsa: publicKey?.asymmetricKeyType === 'rsa' ? publicKey : undefined,
  }
}

function newName(): ObjectName {
  return { id: randomBytes(ID_BYTES), label: ATTACKED_LABEL }
}

/** @throws Error naming the attributes that have changed. */
function readsAs(session: TokenSession, key: Handle, template: readonly FixedAttribute[]): void {
  const actual = session.read(
    key,
    template.map(({ type }) => type),
  )
  const faults = templateFaults(template, actual)
  if (faults.length > 0) throw new Error(`${faults.join(', ')} changed`)
}
