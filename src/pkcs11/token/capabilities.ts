/**
 * What the token can do of what keyslot uses: asked for, then proved, since tokens list what they
 * do wrongly. A capability that fails its proof is withdrawn, and the reason said.
 */

import { createCipheriv, randomBytes } from 'node:crypto'
import type { Slot } from 'graphene-pk11'
import pkcs11js, { type Handle } from 'pkcs11js'
import { NONCE_BYTES, TAG_BYTES } from '../../model/ciphertext.ts'
import type { CipherSuite } from '../../model/key.ts'
import type { KeyKind } from '../../model/key-specs.ts'
import { kindRows } from '../kinds/kind-capabilities.ts'
import type { Capability } from '../settings.ts'
import type { CapabilityRow } from './capability-row.ts'
import { generationOf, KIND_CAPABILITIES, type KindCapability } from './mechanisms.ts'
import { TokenError } from './return-values.ts'
import type { TokenSession } from './session.ts'
import { proofKeyTemplate } from './templates.ts'

const KEY_BYTES = 32
const AAD = Buffer.alloc(32, 'aad')
const PLAINTEXT = Buffer.from('sixteen byte xy and some more of them')

const ROWS: readonly CapabilityRow[] = [
  {
    name: 'C_GenerateRandom',
    use: 'data keys, IVs and nonces',
    prove: proveRandom,
  },
  {
    name: 'CKM_AES_KEY_GEN',
    use: 'making backing keys',
    mechanism: pkcs11js.CKM_AES_KEY_GEN,
    prove: (session) => session.destroyObject(session.generateKey(proofKeyTemplate('encrypts'))),
  },
  {
    name: 'CKM_AES_GCM',
    use: 'encryption',
    mechanism: pkcs11js.CKM_AES_GCM,
    prove: proveGcm,
  },
  {
    name: 'CKM_AES_CBC_ENCRYPT_DATA',
    use: 'deriving keys that encrypt (suite 1)',
    mechanism: pkcs11js.CKM_AES_CBC_ENCRYPT_DATA,
    prove: proveDerivation,
  },
]

/** The names that the setting `withdraw` may hold. */
export const CAPABILITY_NAMES: readonly string[] = [...ROWS, ...kindRows()].map(({ name }) => name)

/** Asks for and proves every capability that is not withdrawn. */
export function proveCapabilities(
  slot: Slot,
  session: TokenSession,
  withdrawn: readonly string[],
): readonly Capability[] {
  const offered = offeredMechanisms(slot)
  return [...ROWS, ...kindRows()].map(({ name, use, mechanism, prove }) => {
    const isOffered = mechanism === undefined || offered.has(mechanism)
    const refuse = (reason: string, mayPass?: true) => ({
      name,
      use,
      offered: isOffered,
      proved: false,
      withdrawn: reason,
      mayPass,
    })
    if (withdrawn.includes(name)) return refuse('withdrawn by the settings')
    if (!isOffered) return refuse('the token does not offer it')
    const trial = session.another()
    try {
      prove(trial)
      return { name, use, offered: true, proved: true }
    } catch (cause) {
      const reason = `it failed its proof: ${cause instanceof Error ? cause.message : cause}`
      return refuse(reason, isOfTheMoment(cause) || undefined)
    } finally {
      trial.close()
    }
  })
}

/**
 * How new backing keys are used on a token with these capabilities.
 *
 * @returns `undefined` when the token cannot serve at all.
 */
export function suiteOf(capabilities: readonly Capability[]): CipherSuite | undefined {
  const proved = (name: string) => capabilities.some((one) => one.name === name && one.proved)
  const serves = ['C_GenerateRandom', 'CKM_AES_KEY_GEN', 'CKM_AES_GCM'].every(proved)
  if (!serves) return undefined
  return proved('CKM_AES_CBC_ENCRYPT_DATA') ? 1 : 2
}

/** What symmetric encryption needs of these capabilities: without it a token cannot serve. */
export function neededOf(capabilities: readonly Capability[]): readonly Capability[] {
  return capabilities.filter(({ name }) => ROWS.some((row) => row.name === name))
}

/** What a token with these capabilities has proved beside what it cannot serve without. */
export function provedKinds(capabilities: readonly Capability[]): readonly KindCapability[] {
  const proved = new Set(capabilities.filter((one) => one.proved).map(({ name }) => name))
  return KIND_CAPABILITIES.filter((name) => proved.has(name))
}

/** Why a token with these capabilities makes no keys of a kind; `undefined` when it does. */
export function lackOf(capabilities: readonly Capability[], kind: KeyKind): string | undefined {
  const proved = new Set<string>(provedKinds(capabilities))
  const { capabilities: needed } = generationOf(kind, (name) => proved.has(name))
  const lacking = needed.find((name) => !proved.has(name))
  const row = capabilities.find(({ name }) => name === lacking)
  return lacking && `${lacking}: ${row?.withdrawn ?? 'it is not used'}`
}

/** Whether the token failed as it does in a bad moment too, not by saying that it cannot. */
function isOfTheMoment(cause: unknown): boolean {
  return (
    cause instanceof TokenError && ['ambiguous', 'session', 'device'].includes(cause.value.fault)
  )
}

function offeredMechanisms(slot: Slot): ReadonlySet<number> {
  const mechanisms = slot.getMechanisms()
  const offered = new Set<number>()
  for (let at = 0; at < mechanisms.length; at++) offered.add(mechanisms.items(at).type)
  return offered
}

function proveRandom(session: TokenSession): void {
  const draws = [Buffer.alloc(32), Buffer.alloc(32)]
  for (const draw of draws) session.fillRandom(draw)
  const [one, other] = draws
  if (one === undefined || other === undefined || one.equals(other)) {
    throw new Error('two draws are equal')
  }
  // A buffer of one value is what a generator that writes nothing leaves.
  if (draws.some((draw) => draw.every((byte) => byte === draw[0]))) {
    throw new Error('a draw holds one value only')
  }
}

function proveGcm(session: TokenSession): void {
  const { handle, value } = proofKey(session, 'encrypts')
  provesGcmUnder(session, handle, handle, value)
}

function proveDerivation(session: TokenSession): void {
  const { handle, value } = proofKey(session, 'derives')
  const nonce = randomBytes(NONCE_BYTES)
  const derived = session.derive(handle, nonce)
  const again = session.derive(handle, nonce)
  provesGcmUnder(session, derived, again, value && derivedValue(value, nonce))
  const other = session.derive(handle, randomBytes(NONCE_BYTES))
  const kept = keptSeal(session, derived)
  mustRefuse(session, other, AAD, kept, 'the key of another nonce')
}

/** Encrypts twice and compares with software where the key is known; tampers with everything. */
function provesGcmUnder(
  session: TokenSession,
  encrypting: Handle,
  decrypting: Handle,
  value: Buffer | undefined,
): void {
  const one = keptSeal(session, encrypting)
  const other = keptSeal(session, encrypting)
  if (one.iv.equals(other.iv) || one.sealed.equals(other.sealed)) {
    throw new Error('two encryptions share an IV')
  }
  for (const kept of [one, other]) {
    if (!session.open(decrypting, AAD, kept).equals(PLAINTEXT)) {
      throw new Error('it decrypts to something else')
    }
    if (value !== undefined && !kept.sealed.equals(softwareSeal(value, kept.iv))) {
      throw new Error('it encrypts to something else than AES-256-GCM')
    }
  }
  const flip = (buffer: Buffer, at: number) => {
    const flipped = Buffer.from(buffer)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    return flipped
  }
  const { iv, sealed } = one
  mustRefuse(session, decrypting, flip(AAD, 0), one, 'other additional data')
  mustRefuse(session, decrypting, AAD, { iv: flip(iv, 0), sealed }, 'another IV')
  for (const at of [0, sealed.length - TAG_BYTES, sealed.length - 1]) {
    mustRefuse(session, decrypting, AAD, { iv, sealed: flip(sealed, at) }, `byte ${at} flipped`)
  }
}

function keptSeal(session: TokenSession, key: Handle): { iv: Buffer; sealed: Buffer } {
  const { iv, sealed } = session.seal(key, AAD, PLAINTEXT)
  return { iv: Buffer.from(iv), sealed: Buffer.from(sealed) }
}

function mustRefuse(
  session: TokenSession,
  key: Handle,
  aad: Buffer,
  sealed: { iv: Buffer; sealed: Buffer },
  what: string,
): void {
  try {
    session.open(key, aad, sealed)
  } catch (cause) {
    if (cause instanceof TokenError) return
    throw cause
  }
  throw new Error(`it decrypts with ${what}`)
}

/** A session key whose value is known where the token takes one from outside. */
function proofKey(
  session: TokenSession,
  use: 'encrypts' | 'derives',
): { handle: Handle; value?: Buffer } {
  const value = randomBytes(KEY_BYTES)
  try {
    return { handle: session.createObject(proofKeyTemplate(use, value)), value }
  } catch (cause) {
    if (!(cause instanceof TokenError)) throw cause
    // A token that takes no secrets from outside, as FIPS 140 modes do: what is left is to
    // encrypt, decrypt and tamper.
    return { handle: session.generateKey(proofKeyTemplate(use)) }
  }
}

function derivedValue(value: Buffer, nonce: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-cbc', value, Buffer.alloc(16)).setAutoPadding(false)
  return cipher.update(Buffer.concat([Buffer.of(1), nonce, Buffer.of(2), nonce]))
}

function softwareSeal(value: Buffer, iv: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', value, iv).setAAD(AAD)
  return Buffer.concat([cipher.update(PLAINTEXT), cipher.final(), cipher.getAuthTag()])
}
