/** The HSM's verbs for keys of other kinds than for symmetric encryption, over the workers' pipes. */

import type { Authorised } from '../../model/authorised.ts'
import { type BackingKey, currentBackingKey, type Key } from '../../model/key.ts'
import { type KeySpec, materialOf } from '../../model/key-specs.ts'
import type { CallLimits, DataKeyPair, Hsm } from '../hsm.ts'
import { type FrameWriter, SIDE, VERB } from '../wire.ts'
import type { MakeCall } from './connection.ts'
import {
  assertBytes,
  backingKeyOf,
  beginCall,
  PLAINTEXT_BYTES_MAX,
  writeKey,
  writeSource,
} from './frames.ts'

/** The longest ciphertext of a pair: RSA's with a modulus of 4096 bits. */
const OAEP_BYTES_MAX = 512

/** A pair of RSA takes as long as it takes to find two primes. */
const PAIR_PATIENCE_MS = 60_000

type KeyVerbs = Pick<
  Hsm,
  | 'sign'
  | 'mac'
  | 'decryptAsymmetric'
  | 'reEncryptAsymmetric'
  | 'deriveSharedSecret'
  | 'generateDataKeyPair'
  | 'generateDataKeyPairWithoutPlaintext'
>

/** The verbs. */
export function keysOver(call: MakeCall): KeyVerbs {
  return {
    async sign(key, { algorithm, message, isDigest }, limits) {
      assertBytes(message.length, PLAINTEXT_BYTES_MAX)
      return withKey(call, VERB.sign, key, limits, (writer, current) => {
        writer.block(publicHalf(key, current))
        writeName(writer, algorithm)
        writer.u8(isDigest ? 1 : 0)
        writer.bytes(message)
      })
    },
    async mac(key, { algorithm, message }, limits) {
      assertBytes(message.length, PLAINTEXT_BYTES_MAX)
      return withKey(call, VERB.mac, key, limits, (writer) => {
        writeName(writer, algorithm)
        writer.bytes(message)
      })
    },
    async decryptAsymmetric(key, { algorithm, ciphertextBlob }, limits) {
      assertBytes(ciphertextBlob.length, OAEP_BYTES_MAX)
      return withKey(call, VERB.decryptAsymmetric, key, limits, (writer) => {
        writeName(writer, algorithm)
        writer.bytes(ciphertextBlob)
      })
    },
    reEncryptAsymmetric: (source, destination, limits) =>
      reEncrypt(call, source, destination, limits),
    async deriveSharedSecret(key, point, limits) {
      return withKey(call, VERB.deriveSharedSecret, key, limits, (writer) => writer.bytes(point))
    },
    async generateDataKeyPair(key, input, limits) {
      const answer = await dataKeyPair(call, VERB.generateDataKeyPair, { key, ...input }, limits)
      const { rest: privateKeyPlaintext, ...pair } = answer
      return { ...pair, privateKeyPlaintext }
    },
    async generateDataKeyPairWithoutPlaintext(key, input, limits) {
      const verb = VERB.generateDataKeyPairWithoutPlaintext
      const { rest, ...pair } = await dataKeyPair(call, verb, { key, ...input }, limits)
      if (rest.length > 0) throw new Error('a private half that was not asked for')
      return pair
    },
  }
}

/** A call with a key's current backing key, by CKA_ID and spec. */
function withKey(
  call: MakeCall,
  verb: number,
  key: Authorised<Key>,
  limits: CallLimits,
  write: (writer: FrameWriter, current: BackingKey) => void,
): Promise<Buffer> {
  const current = currentBackingKey(key)
  return call(
    [current],
    (writer, deadlineMs) => {
      beginCall(writer, verb, deadlineMs)
      writeNamed(writer, key, current)
      write(writer, current)
    },
    limits,
    { isSlow: isSlow(key.spec) },
  )
}

async function reEncrypt(
  call: MakeCall,
  source: Parameters<Hsm['reEncryptAsymmetric']>[0],
  destination: Parameters<Hsm['reEncryptAsymmetric']>[1],
  limits: CallLimits,
): Promise<Buffer> {
  const from =
    'algorithm' in source ? currentBackingKey(source.key) : backingKeyOf(source.key, source)
  const to = currentBackingKey(destination.key)
  const used = 'algorithm' in destination ? [from] : [from, to]
  return call(
    used,
    (writer, deadlineMs) => {
      beginCall(writer, VERB.reEncryptAsymmetric, deadlineMs)
      if ('algorithm' in source) {
        writer.u8(SIDE.asymmetric)
        writeNamed(writer, source.key, from)
        writeName(writer, source.algorithm)
        writer.block(source.ciphertextBlob)
      } else {
        writer.u8(SIDE.symmetric)
        writeSource(writer, source.key, from, source)
      }
      if ('algorithm' in destination) {
        writer.u8(SIDE.asymmetric)
        writeName(writer, destination.algorithm)
        writer.bytes(publicHalf(destination.key, to))
      } else {
        writer.u8(SIDE.symmetric)
        writeKey(writer, destination.key, to)
        writer.block(destination.context)
      }
    },
    limits,
    { isSlow: 'algorithm' in source },
  )
}

async function dataKeyPair(
  call: MakeCall,
  verb: number,
  { key, spec, context }: { key: Authorised<Key>; spec: KeySpec; context: Buffer },
  limits: CallLimits,
): Promise<Omit<DataKeyPair, 'privateKeyPlaintext'> & { readonly rest: Buffer }> {
  const current = currentBackingKey(key)
  const answer = await call(
    [current],
    (writer, deadlineMs) => {
      beginCall(writer, verb, deadlineMs)
      writeKey(writer, key, current)
      writer.block(context)
      writeName(writer, spec)
    },
    limits,
    { isSlow: isSlow(spec), patienceMs: PAIR_PATIENCE_MS },
  )
  const blobAt = 4 + answer.readUInt32LE(0)
  const restAt = blobAt + 4 + answer.readUInt32LE(blobAt)
  return {
    publicKey: answer.subarray(4, blobAt),
    privateKeyCiphertextBlob: answer.subarray(blobAt + 4, restAt),
    rest: answer.subarray(restAt),
  }
}

/** Private keys of RSA cost a token a hundred times what others do, and making them thousands. */
function isSlow(spec: KeySpec): boolean {
  return materialOf(spec).type === 'RSA'
}

function publicHalf(key: Key, { publicKey }: BackingKey): Buffer {
  if (publicKey === undefined) throw new Error(`${key.arn} has no public half`)
  return publicKey
}

/** CKA_ID and spec. */
function writeNamed(writer: FrameWriter, key: Key, backingKey: BackingKey): void {
  writer.bytes(Buffer.from(backingKey.id, 'hex'))
  writeName(writer, key.spec)
}

function writeName(writer: FrameWriter, name: string): void {
  const bytes = Buffer.from(name, 'latin1')
  writer.u8(bytes.length)
  writer.bytes(bytes)
}
