/** The keys of the matrix: one for each kind, which is brought from state to state. */

import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import type { Service } from '../../../src/service.ts'
import { wrap } from '../import/material.ts'
import { call, newKey, service } from '../service.ts'
import { algorithmsOf, type Kind, typeOf } from './documents.ts'
import type { State } from './states.ts'

type KeySpec = NonNullable<Service['CreateKey']['request']['keySpec']>
type KeyUsage = NonNullable<Service['CreateKey']['request']['keyUsage']>
type Wrapped = Pick<Service['ImportKeyMaterial']['request'], 'importToken' | 'encryptedKeyMaterial'>

/** What all keys of the matrix use. */
export interface References {
  readonly rootArn: string
  readonly symmetric: { readonly keyId: string }
  /** Of the symmetric key. */
  readonly ciphertextBlob: Buffer
  /** A key policy. */
  readonly policy: string
  /** Another key of the same type and usage, to and from which aliases move. */
  siblingOf(kind: Kind): Promise<string>
}

/** A key of the matrix, with what is needed to ask all of it. */
export interface Subject extends Kind {
  readonly keyId: string
  readonly arn: string
  readonly refs: References
  readonly siblingId: string
  /** Aliases of the key which may be used up. */
  readonly aliases: string[]
  /** Grants of the key which may be used up. */
  readonly grantIds: string[]
  /** Material for the import. */
  readonly material: Buffer
  readonly wrapping: typeof WRAPPING
  readonly message: Buffer
  /** Made by the key where it makes such; else of the right form at best. */
  ciphertextBlob: Buffer
  signature: Buffer
  mac: Buffer
  /** A public key to agree with, on the key's curve if it has one. */
  peer: Buffer
  /** An import under the last wrapping key that was handed out. */
  importRequest(): object
  /** Takes what GetParametersForImport has answered. */
  prepared(parameters: Service['GetParametersForImport']['response']): void
}

const WRAPPING = {
  wrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256',
  wrappingKeySpec: 'RSA_2048',
} as const
const CURVES: Readonly<Record<string, string>> = {
  ECC_NIST_P256: 'P-256',
  ECC_NIST_P384: 'P-384',
  ECC_NIST_P521: 'P-521',
  ECC_SECG_P256K1: 'secp256k1',
}
/** In each state two aliases and two grants are used up at most. */
const SPARE = 2 * 5

let names = 0

/** A name that no alias or grant has had before. */
export function freshName(): string {
  names += 1
  return `alias/matrix-${names}`
}

/** Makes what all keys of the matrix use. */
export async function references(): Promise<References> {
  const symmetric = await newKey()
  const { policy = '' } = await call('GetKeyPolicy', { keyId: symmetric.keyId })
  const plaintext = Buffer.from('of another key')
  const { ciphertextBlob } = await call('Encrypt', { keyId: symmetric.keyId, plaintext })
  const siblings = new Map<string, Promise<string>>()
  return {
    rootArn: `arn:aws:iam::${service().place.account}:root`,
    symmetric,
    ciphertextBlob,
    policy,
    siblingOf(kind) {
      const type = `${typeOf(kind)} ${kind.usage}`
      const known = siblings.get(type) ?? newSibling(kind)
      siblings.set(type, known)
      return known
    },
  }
}

/** Of another spec where AWS has one for the usage: an alias may move to it all the same. */
async function newSibling({ spec, usage }: Kind): Promise<string> {
  const specs: Readonly<Record<string, string>> = {
    SIGN_VERIFY: 'ECC_SECG_P256K1',
    GENERATE_VERIFY_MAC: 'HMAC_224',
  }
  const keySpec = specs[usage] ?? spec
  const { keyId } = await newKey({ keySpec: keySpec as KeySpec, keyUsage: usage as KeyUsage })
  return keyId
}

/** Makes a key, which is Enabled or waits for its import. */
export async function newSubject(kind: Kind, refs: References): Promise<Subject> {
  const { spec, usage, origin } = kind
  const key = await newKey({
    keySpec: spec as KeySpec,
    keyUsage: usage as KeyUsage,
    origin,
  })
  const aliases: string[] = []
  for (let i = 0; i < SPARE; i += 1) {
    const aliasName = freshName()
    await call('CreateAlias', { aliasName, targetKeyId: key.keyId })
    aliases.push(aliasName)
  }
  const material = materialOf(spec)
  let wrapped: Wrapped = { importToken: randomBytes(64), encryptedKeyMaterial: randomBytes(64) }
  return {
    ...kind,
    ...key,
    refs,
    siblingId: await refs.siblingOf(kind),
    aliases,
    grantIds: [],
    material,
    wrapping: WRAPPING,
    message: Buffer.from('of the matrix'),
    ciphertextBlob: randomBytes(256),
    signature: randomBytes(64),
    mac: randomBytes(32),
    peer: peerOf(spec),
    importRequest: () => ({
      keyId: key.keyId,
      expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      ...wrapped,
    }),
    prepared({ importToken, publicKey }) {
      const encryptedKeyMaterial = wrap(material, publicKey, WRAPPING.wrappingAlgorithm)
      wrapped = { importToken, encryptedKeyMaterial }
    },
  }
}

/** Made once for each spec: RSA takes long. */
const materials = new Map<string, Buffer>()

function materialOf(spec: string): Buffer {
  const known = materials.get(spec) ?? newMaterial(spec)
  materials.set(spec, known)
  return known
}

function newMaterial(spec: string): Buffer {
  const pkcs8 = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'der' })
  const [, bits] = /_(\d+)$/.exec(spec) ?? []
  if (spec.startsWith('HMAC')) return randomBytes(Number(bits) / 8)
  if (spec.startsWith('RSA')) {
    return pkcs8(generateKeyPairSync('rsa', { modulusLength: Number(bits) }).privateKey)
  }
  if (spec === 'ECC_NIST_EDWARDS25519') return pkcs8(generateKeyPairSync('ed25519').privateKey)
  const namedCurve = CURVES[spec]
  if (namedCurve === undefined) return randomBytes(32)
  return pkcs8(generateKeyPairSync('ec', { namedCurve }).privateKey)
}

function peerOf(spec: string): Buffer {
  const namedCurve = CURVES[spec] ?? 'P-256'
  const { publicKey } = generateKeyPairSync('ec', { namedCurve })
  return publicKey.export({ type: 'spki', format: 'der' })
}

/** Makes what is used up or looked at in other states, while the key is Enabled. */
async function furnish(subject: Subject): Promise<void> {
  if (subject.grantIds.length > 0) return
  const { keyId, spec, usage, refs, message } = subject
  for (let i = 0; i < SPARE; i += 1) {
    const { grantId = '' } = await call('CreateGrant', {
      keyId,
      granteePrincipal: refs.rootArn,
      operations: ['DescribeKey'],
      name: freshName(),
    })
    subject.grantIds.push(grantId)
  }
  const [algorithm] = algorithmsOf(spec, usage)
  if (usage === 'ENCRYPT_DECRYPT') {
    const encryptionAlgorithm = algorithm as 'SYMMETRIC_DEFAULT'
    const made = await call('Encrypt', { keyId, plaintext: message, encryptionAlgorithm })
    subject.ciphertextBlob = made.ciphertextBlob
  }
  if (usage === 'SIGN_VERIFY') {
    const signingAlgorithm = algorithm as 'ECDSA_SHA_256'
    subject.signature = (await call('Sign', { keyId, message, signingAlgorithm })).signature
  }
  if (usage === 'GENERATE_VERIFY_MAC') {
    const macAlgorithm = algorithm as 'HMAC_SHA_256'
    subject.mac = (await call('GenerateMac', { keyId, message, macAlgorithm })).mac
  }
}

/** Brings a key to a state, from whichever it is in. */
export async function bring(subject: Subject, state: State): Promise<void> {
  const { keyId, wrapping } = subject
  let now = await stateOf(keyId)
  if (now === state) return state === 'Enabled' ? furnish(subject) : undefined
  if (now === 'PendingDeletion') await call('CancelKeyDeletion', { keyId })
  now = await stateOf(keyId)
  if (now === 'PendingImport' && state !== 'PendingImport') {
    subject.prepared(await call('GetParametersForImport', { keyId, ...wrapping }))
    await call('ImportKeyMaterial', subject.importRequest())
  }
  if (state === 'PendingImport' && now !== state) await call('DeleteImportedKeyMaterial', { keyId })
  if (state === 'Enabled') {
    await call('EnableKey', { keyId })
    await furnish(subject)
  }
  if (state === 'Disabled') await call('DisableKey', { keyId })
  if (state === 'PendingDeletion') await call('ScheduleKeyDeletion', { keyId })
}

async function stateOf(keyId: string): Promise<string | undefined> {
  return (await call('DescribeKey', { keyId })).keyMetadata?.keyState
}
