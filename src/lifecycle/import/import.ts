/** Importing key material: new, or the same again. */

import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Authorised } from '../../model/authorised.ts'
import { fail, KmsError } from '../../model/failures.ts'
import type { BackingKey, ImportedMaterial, Key } from '../../model/key.ts'
import type { WrappedMaterial } from '../../pkcs11/import/hsm-imports.ts'
import type { WrappingKey } from '../../store/import/store.ts'
import { backingKeyKind, carryOut, runChange, type Services } from '../change.ts'
import { expireMaterial, removeMaterial } from './remove.ts'
import { destroyWrappingKey, wrappingKeyOf } from './wrapping-keys.ts'

/** An import. */
export interface ImportInput {
  readonly importToken: Buffer
  readonly encryptedKeyMaterial: Buffer
  /** When the material expires, in milliseconds since the epoch; absent if it does not. */
  readonly validToMs?: number
  /** New unless the key has had material, if absent. */
  readonly type?: 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL'
  /** What it was before, if absent. */
  readonly description?: string
  /** Which material it has to be, as 64 hex digits. */
  readonly materialId?: string
}

const MATERIAL_DOMAIN = 'keyslot imported key material v1'

/**
 * Imports key material.
 *
 * The material's id follows from the key's id and a check value that the token makes under the
 * material itself, so that the same material is known again after it was deleted, and one owner's
 * two keys with one material cannot be told from others. It says no more of the material than any
 * ciphertext under it does.
 *
 * @returns the key as it is then, and which material it was.
 * @throws KmsError InvalidImportTokenException and ExpiredImportTokenException;
 *   InvalidCiphertextException if the material cannot be unwrapped; IncorrectKeyMaterialException
 *   if it is not what the key takes; KMSInvalidStateException if other new material waits for its
 *   rotation; ConflictException if another change of the key is under way.
 */
export async function importMaterial(
  services: Services,
  key: Authorised<Key>,
  input: ImportInput,
): Promise<{ readonly key: Key; readonly materialId: string }> {
  const wrappingKey = await wrappingKeyOf(services, key, input.importToken)
  const wrapped = {
    wrappingKeyId: wrappingKey.id,
    algorithm: wrappingKey.algorithm,
    encryptedKeyMaterial: input.encryptedKeyMaterial,
    spec: key.spec,
    usage: key.usage,
  }
  const checkValue = await checkedMaterial(services, wrapped)
  const materialId = materialIdOf(key, checkValue)
  await expireMaterial(services, key)
  const now = await services.store.keys.find(key.keyId)
  if (now === undefined) return fail('NotFoundException', `Key '${key.arn}' does not exist`)
  const known = allMaterial(now).find((material) => material.materialId === materialId)
  checkType(now, known, materialId, input)
  const imported = importedOf(input, known)
  const present = known?.imported?.isPresent ? await stillThere(services, key, known) : undefined
  const done =
    present === undefined
      ? await makeObject(services, now, {
          wrapped,
          checkValue,
          backingKey: { ...(known ?? (await newMaterial(services, now, materialId))), imported },
        })
      : await renew(services, now, { material: present, imported, wrappingKey })
  await destroyWrappingKey(services, wrappingKey.id).catch((cause: unknown) => {
    services.log?.('warn', 'a used wrapping key waits to be destroyed', { cause })
  })
  return { key: done, materialId }
}

async function checkedMaterial(services: Services, wrapped: WrappedMaterial): Promise<string> {
  try {
    return await services.objects.checkMaterial(wrapped)
  } catch (cause) {
    const isRefused = cause instanceof KmsError && cause.fault === 'caller'
    if (isRefused) await services.store.imports.countFailure(wrapped.wrappingKeyId)
    throw cause
  }
}

/** AWS's KeyMaterialId: of the key and the material alone. */
function materialIdOf({ keyId }: Key, checkValue: string): string {
  const hash = createHash('sha256').update(MATERIAL_DOMAIN)
  return hash.update(keyId).update(Buffer.from(checkValue, 'hex')).digest('hex')
}

function allMaterial(key: Key): readonly BackingKey[] {
  return key.pendingRotation ? [...key.backingKeys, key.pendingRotation] : key.backingKeys
}

/** Refuses material that is not what the request says, or the key takes. */
function checkType(
  key: Key,
  known: BackingKey | undefined,
  materialId: string,
  input: ImportInput,
): void {
  const refuse = (why: string) => fail('IncorrectKeyMaterialException', `The key material ${why}.`)
  const isFirst = key.backingKeys.length === 0
  const type = input.type ?? (isFirst ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL')
  if (type === 'NEW_KEY_MATERIAL') {
    if (known !== undefined) refuse(`is associated with ${key.arn} already`)
    if (key.pendingRotation !== undefined) {
      const what = 'has key material that is pending rotation already'
      fail('KMSInvalidStateException', `${key.arn} ${what}.`)
    }
    return
  }
  if (known === undefined) refuse(`has not been imported into ${key.arn} before`)
  if (input.materialId !== undefined && input.materialId !== materialId) {
    refuse(`is not that of the id ${input.materialId}`)
  }
}

function importedOf(input: ImportInput, known: BackingKey | undefined): ImportedMaterial {
  const description = input.description ?? known?.imported?.description ?? ''
  return { isPresent: true, validToMs: input.validToMs, description }
}

async function newMaterial(
  { objects, clock }: Services,
  key: Key,
  materialId: string,
): Promise<BackingKey> {
  return {
    id: randomBytes(16).toString('hex'),
    number: key.backingKeys.length + 1,
    suite: key.spec === 'SYMMETRIC_DEFAULT' ? await objects.suite() : undefined,
    materialId,
    createdMs: clock(),
  }
}

/** The material, if its object is there and works; else it is taken out of the books first. */
async function stillThere(
  services: Services,
  key: Authorised<Key>,
  material: BackingKey,
): Promise<BackingKey | undefined> {
  const { id, publicKey } = material
  const proof = { id, publicKey, imported: true, ...backingKeyKind(material, key) }
  if (await services.objects.provesBackingKey(proof)) return material
  await removeMaterial(services, key, material)
  return undefined
}

async function makeObject(
  services: Services,
  { keyId, arn }: Key,
  given: {
    readonly wrapped: WrappedMaterial
    readonly checkValue: string
    readonly backingKey: BackingKey
  },
): Promise<Key> {
  const { store, objects, clock } = services
  const { wrapped, backingKey, checkValue } = given
  const { wrappingKeyId } = wrapped
  const kind = 'import' as const
  const intent = {
    intentId: randomUUID(),
    keyId,
    createdMs: clock(),
    kind,
    backingKey,
    wrappingKeyId,
  }
  return runChange(store, intent.intentId, async () => {
    if (!(await store.imports.beginImport(intent))) conflict(arn)
    return carryOut(services, intent, () => {
      const { id, number, suite } = backingKey
      const label = `keyslot ${keyId} ${number}`
      return objects.importBackingKey({ ...wrapped, id, label, suite, checkValue })
    })
  })
}

async function renew(
  { store, clock }: Services,
  { keyId, arn }: Key,
  given: {
    readonly material: BackingKey
    readonly imported: ImportedMaterial
    readonly wrappingKey: WrappingKey
  },
): Promise<Key> {
  const { material, imported, wrappingKey } = given
  const renewed = await store.imports.renew({
    keyId,
    backingKeyId: material.id,
    wrappingKeyId: wrappingKey.id,
    imported,
    nowMs: clock(),
  })
  return renewed ?? conflict(arn)
}

function conflict(arn: string): never {
  return fail('ConflictException', `Another change of ${arn} is under way.`)
}
