/** The HSM's verbs over the pipes of whatever HSM process is running. */

import type { Authorised } from '../model/authorised.ts'
import { COMMITMENT_BYTES, keyIdBytes, TAG_BYTES } from '../model/ciphertext.ts'
import { fail, KmsError } from '../model/failures.ts'
import { type BackingKey, type CipherSuite, currentBackingKey, type Key } from '../model/key.ts'
import { type Answer, type CallKind, type Calls, tooLate, type WriteCall } from './calls.ts'
import { keysOver } from './client-keys.ts'
import type { CallLimits, CiphertextInput, Hsm, HsmObjects } from './hsm.ts'
import { unavailable } from './hsm-process.ts'
import { importsOver } from './import/hsm-imports.ts'
import type { ManagementVerb, ManagementVerbs } from './management.ts'
import { type FrameWriter, STATUS, VERB } from './wire.ts'

/** The longest plaintext. */
export const PLAINTEXT_BYTES_MAX = 4096
const SEALED_BYTES_MAX = COMMITMENT_BYTES + PLAINTEXT_BYTES_MAX + TAG_BYTES
const RANDOM_BYTES_MAX = 1024
/** A backing key found by a list: its id's 32 hex digits and its suite's digit. */
const LISTED_CHARACTERS = 33

/** The running HSM process, or why there is none. */
export interface Connection {
  /** @throws KmsError KMSInternalException (UNAVAILABLE) while no process is ready. */
  calls(): Calls
  manage<V extends ManagementVerb>(
    verb: V,
    input: ManagementVerbs[V]['takes'],
  ): Promise<ManagementVerbs[V]['answers']>
}

/** Makes a call that uses these backing keys; a second time if one had to be looked for. */
export type MakeCall = (
  keys: readonly BackingKey[],
  write: WriteCall,
  limits: CallLimits,
  kind?: CallKind,
) => Promise<Buffer>

/** The verbs of data. */
export function hsmOver(connection: Connection): Hsm {
  const search = searchOnce(connection)
  const call: MakeCall = async (keys, write, limits, kind) => {
    const answer = await connection.calls().make(write, limits, kind)
    if (answer.status === STATUS.done) return answer.payload
    if (answer.status !== STATUS.keyNotFound) failWith(answer)
    // Its handle may have been lost with a session, or never been seen by this process.
    for (const { id } of keys) {
      if (!(await search(id))) {
        fail('KeyUnavailableException', 'The key material cannot be found in the HSM.')
      }
    }
    const second = await connection.calls().make(write, limits, kind)
    return second.status === STATUS.done ? second.payload : failWith(second)
  }
  return {
    ...keysOver(call),
    async encrypt(key, { plaintext, context }, limits) {
      assertBytes(plaintext.length, PLAINTEXT_BYTES_MAX)
      const current = currentBackingKey(key)
      return call(
        [current],
        (writer, deadlineMs) => {
          beginCall(writer, VERB.encrypt, deadlineMs)
          writeKey(writer, key, current)
          writer.block(context)
          writer.bytes(plaintext)
        },
        limits,
      )
    },
    async decrypt(key, input, limits) {
      const backingKey = backingKeyOf(key, input)
      return call(
        [backingKey],
        (writer, deadlineMs) => {
          beginCall(writer, VERB.decrypt, deadlineMs)
          writeSource(writer, key, backingKey, input)
        },
        limits,
      )
    },
    async reEncrypt(source, destination, limits) {
      const from = backingKeyOf(source.key, source)
      const to = currentBackingKey(destination.key)
      return call(
        [from, to],
        (writer, deadlineMs) => {
          beginCall(writer, VERB.reEncrypt, deadlineMs)
          writeSource(writer, source.key, from, source)
          writeKey(writer, destination.key, to)
          writer.block(destination.context)
        },
        limits,
      )
    },
    async generateDataKey(key, { numberOfBytes, context }, limits) {
      assertBytes(numberOfBytes, RANDOM_BYTES_MAX)
      const answer = await call(
        [currentBackingKey(key)],
        dataKeyCall(VERB.generateDataKey, key, context, numberOfBytes),
        limits,
      )
      return {
        plaintext: answer.subarray(0, numberOfBytes),
        ciphertextBlob: answer.subarray(numberOfBytes),
      }
    },
    async generateDataKeyWithoutPlaintext(key, { numberOfBytes, context }, limits) {
      assertBytes(numberOfBytes, RANDOM_BYTES_MAX)
      return call(
        [currentBackingKey(key)],
        dataKeyCall(VERB.generateDataKeyWithoutPlaintext, key, context, numberOfBytes),
        limits,
      )
    },
    async generateRandom(numberOfBytes, limits) {
      assertBytes(numberOfBytes, RANDOM_BYTES_MAX)
      return call(
        [],
        (writer, deadlineMs) => {
          beginCall(writer, VERB.generateRandom, deadlineMs)
          writer.u32(numberOfBytes)
        },
        limits,
      )
    },
  }
}

/** The verbs of object management. */
export function objectsOver(connection: Connection, onCanary: (id: string) => void): HsmObjects {
  return {
    ...importsOver(connection),
    suite: () => connection.manage('suite', null),
    lacks: async (kind) => (await connection.manage('lacks', kind)) ?? undefined,
    generateBackingKey: async (input) =>
      bytesOf(await connection.manage('generateBackingKey', input)),
    provesBackingKey: ({ publicKey, ...input }) =>
      connection.manage('provesBackingKey', {
        ...input,
        publicKey: publicKey?.toString('base64'),
      }),
    publicKeyOf: async (input) => bytesOf(await connection.manage('publicKeyOf', input)),
    async destroyBackingKey(id) {
      await connection.manage('destroyBackingKey', id)
    },
    async listBackingKeys() {
      const listed = await connection.manage('listBackingKeys', null)
      return Array.from({ length: listed.length / LISTED_CHARACTERS }, (_, index) => {
        const at = index * LISTED_CHARACTERS
        const digit = listed[at + LISTED_CHARACTERS - 1]
        const suite: CipherSuite | undefined = digit === '1' ? 1 : digit === '2' ? 2 : undefined
        return { id: listed.slice(at, at + LISTED_CHARACTERS - 1), suite }
      })
    },
    async createCanary() {
      const id = await connection.manage('createCanary', null)
      onCanary(id)
      return id
    },
  }
}

function bytesOf(base64: string | null): Buffer | undefined {
  return base64 === null ? undefined : Buffer.from(base64, 'base64')
}

/** Callers that miss the same backing key at the same time share one search. */
function searchOnce(connection: Connection): (id: string) => Promise<boolean> {
  const underWay = new Map<string, Promise<boolean>>()
  return (id) => {
    const known = underWay.get(id)
    if (known !== undefined) return known
    const search = connection.manage('findBackingKey', id).finally(() => underWay.delete(id))
    underWay.set(id, search)
    return search
  }
}

/** @throws KmsError InvalidCiphertextException unless the header names a backing key of the key. */
export function backingKeyOf(key: Key, { ciphertext }: CiphertextInput): BackingKey {
  const found = key.backingKeys.find(({ id }) => id === ciphertext.backingKeyId)
  const ofKey = keyIdBytes(ciphertext.keyId).equals(keyIdBytes(key.keyId))
  // Nothing longer has ever been made.
  const isTooLong = ciphertext.sealed.length > SEALED_BYTES_MAX
  if (found === undefined || !ofKey || isTooLong || found.suite !== ciphertext.suite) {
    fail('InvalidCiphertextException', 'The ciphertext is not valid.')
  }
  return found
}

/** Lengths have been checked for the caller long before: another one here is a bug. */
export function assertBytes(length: number, most: number): void {
  if (!Number.isInteger(length) || length < 1 || length > most) {
    throw new Error(`${length} bytes for the HSM`)
  }
}

function dataKeyCall(
  verb: number,
  key: Authorised<Key>,
  context: Buffer,
  numberOfBytes: number,
): WriteCall {
  return (writer, deadlineMs) => {
    beginCall(writer, verb, deadlineMs)
    writeKey(writer, key, currentBackingKey(key))
    writer.block(context)
    writer.u32(numberOfBytes)
  }
}

/** Begins the frame of a call. */
export function beginCall(writer: FrameWriter, verb: number, deadlineMs: number): void {
  writer.u8(verb)
  // The moment, not the time left: what waits in the pipe does not stop the clock, and both ends
  // read the same one.
  writer.f64(deadlineMs)
}

/** A ciphertext and the backing key that it names. */
export function writeSource(
  writer: FrameWriter,
  key: Key,
  backingKey: BackingKey,
  { ciphertext, context }: CiphertextInput,
): void {
  writeKey(writer, key, backingKey)
  writer.block(context)
  writer.bytes(ciphertext.nonce)
  writer.u8(ciphertext.iv.length)
  writer.bytes(ciphertext.iv)
  writer.block(ciphertext.sealed)
}

/** Keys are immutable, and the store hands out the same one as long as it is current. */
const namedKeys = new WeakMap<Key, Map<string, Buffer>>()

/** A backing key of a symmetric key. */
export function writeKey(writer: FrameWriter, key: Key, backingKey: BackingKey): void {
  let named = namedKeys.get(key)
  if (named === undefined) {
    named = new Map()
    namedKeys.set(key, named)
  }
  let name = named.get(backingKey.id)
  if (name === undefined) {
    if (backingKey.suite === undefined) throw new Error(`${key.arn} encrypts nothing`)
    name = Buffer.concat([
      Buffer.of(backingKey.suite),
      keyIdBytes(key.keyId),
      Buffer.from(backingKey.id, 'hex'),
      Buffer.from(key.account, 'latin1'),
    ])
    named.set(backingKey.id, name)
  }
  writer.u8(name.length)
  writer.bytes(name)
}

function failWith({ status, payload }: Answer): never {
  switch (status) {
    case STATUS.invalidCiphertext:
      return fail('InvalidCiphertextException', 'The ciphertext is not valid.')
    case STATUS.tooLate:
      throw tooLate()
    case STATUS.keyNotFound:
      return fail('KeyUnavailableException', 'The key material cannot be used in the HSM.')
    case STATUS.withdrawn:
      throw new KmsError('KeyUnavailableException', 'The HSM no longer does what the key needs.', {
        cause: new Error(payload.toString()),
      })
    case STATUS.unsupported:
      return fail(
        'UnsupportedOperationException',
        `The HSM does not offer what the request needs: ${payload.toString()}.`,
      )
    default:
      throw unavailable(payload.toString())
  }
}
