/** The HSM's verbs for data, over the pipes of whatever HSM process is running. */

import type { Authorised } from '../../model/authorised.ts'
import { fail, KmsError } from '../../model/failures.ts'
import { currentBackingKey, type Key } from '../../model/key.ts'
import type { Hsm } from '../hsm.ts'
import { STATUS, VERB } from '../wire.ts'
import { type Answer, tooLate, type WriteCall } from './calls.ts'
import { type Connection, type MakeCall, unavailable } from './connection.ts'
import {
  assertBytes,
  backingKeyOf,
  beginCall,
  PLAINTEXT_BYTES_MAX,
  writeKey,
  writeSource,
} from './frames.ts'
import { keysOver } from './keys.ts'

const RANDOM_BYTES_MAX = 1024

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
