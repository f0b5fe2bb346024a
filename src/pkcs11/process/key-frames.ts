/** The calls of a worker for keys of other kinds than for symmetric encryption, frame by frame. */

import { KEY_SPECS, type KeySpec, keySpecRow, type OaepAlgorithm } from '../../model/key-specs.ts'
import { encryptOaep } from '../kinds/kind-proofs.ts'
import { publicKeyFrom } from '../kinds/public-keys.ts'
import type { Sealed } from '../token/session.ts'
import { ID_BYTES } from '../token/templates.ts'
import {
  type FrameCursor,
  type FrameWriter,
  MalformedFrameError,
  SIDE,
  STATUS,
  VERB,
} from '../wire.ts'
import type { CalledKey, DataVerbs } from './data-verbs.ts'
import type { KeyVerbs, NamedKey } from './key-verbs.ts'

/** What the calls are made with, and how the symmetric part of a frame is read. */
export interface KeyCalls {
  readonly data: DataVerbs
  readonly keys: KeyVerbs
  readonly calledKey: () => CalledKey
  readonly source: () => { key: CalledKey; context: Buffer; nonce: Buffer; sealed: Sealed }
}

const SPECS = Object.keys(KEY_SPECS) as KeySpec[]
const ROWS = SPECS.map(keySpecRow)
const SIGNING_ALGORITHMS = [...new Set(ROWS.flatMap((row) => row.signingAlgorithms))]
const MAC_ALGORITHMS = [...new Set(ROWS.flatMap((row) => row.macAlgorithms))]
const OAEP_ALGORITHMS: readonly OaepAlgorithm[] = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']

/**
 * Performs a call and writes its answer.
 *
 * @throws MalformedFrameError for a verb that there is not.
 */
export function performWithKeys(
  verb: number,
  frame: FrameCursor,
  writer: FrameWriter,
  calls: KeyCalls,
): void {
  const { keys } = calls
  switch (verb) {
    case VERB.sign: {
      const pair = { ...namedKey(frame), publicKey: frame.block() }
      const algorithm = nameIn(frame, SIGNING_ALGORITHMS)
      const isDigest = frame.u8() === 1
      writeDone(writer, keys.sign(pair, algorithm, { message: frame.bytes(), isDigest }))
      return
    }
    case VERB.mac: {
      const key = namedKey(frame)
      writeDone(writer, keys.mac(key, nameIn(frame, MAC_ALGORITHMS), frame.bytes()))
      return
    }
    case VERB.decryptAsymmetric: {
      const key = namedKey(frame)
      writeSecret(writer, keys.decrypt(key, nameIn(frame, OAEP_ALGORITHMS), frame.bytes()))
      return
    }
    case VERB.deriveSharedSecret:
      writeSecret(writer, keys.agree(namedKey(frame), frame.bytes()))
      return
    case VERB.generateDataKeyPair:
    case VERB.generateDataKeyPairWithoutPlaintext:
      generateDataKeyPair(verb, frame, writer, calls)
      return
    case VERB.reEncryptAsymmetric:
      reEncrypt(frame, writer, calls)
      return
    default:
      throw new MalformedFrameError(`the verb ${verb}`)
  }
}

/** Answers public half, ciphertext and, where it is wanted, private half. */
function generateDataKeyPair(
  verb: number,
  frame: FrameCursor,
  writer: FrameWriter,
  { data, keys, calledKey }: KeyCalls,
): void {
  const key = calledKey()
  const context = frame.block()
  const { privateKey, publicKey } = keys.makeDataKeyPair(nameIn(frame, SPECS))
  try {
    const blob = data.encrypt(key, context, privateKey)
    writer.u8(STATUS.done)
    writer.block(publicKey)
    writer.block(blob)
    if (verb === VERB.generateDataKeyPair) writer.bytes(privateKey)
  } finally {
    privateKey.fill(0)
  }
}

/** From or to a pair; the plaintext stays in this thread. */
function reEncrypt(frame: FrameCursor, writer: FrameWriter, calls: KeyCalls): void {
  const { data, calledKey } = calls
  const plaintext = plaintextOf(frame, calls)
  try {
    if (frame.u8() === SIDE.symmetric) {
      writeDone(writer, data.encrypt(calledKey(), frame.block(), plaintext))
      return
    }
    const algorithm = nameIn(frame, OAEP_ALGORITHMS)
    writeDone(writer, encryptOaep(publicKeyFrom(frame.bytes()), algorithm, plaintext))
  } finally {
    plaintext.fill(0)
  }
}

function plaintextOf(frame: FrameCursor, { data, keys, source }: KeyCalls): Buffer {
  if (frame.u8() === SIDE.asymmetric) {
    const key = namedKey(frame)
    return keys.decrypt(key, nameIn(frame, OAEP_ALGORITHMS), frame.block())
  }
  const { key, context, nonce, sealed } = source()
  try {
    const opened = data.decryptToKeep(key, context, nonce, sealed)
    return Buffer.alloc(opened.length, opened)
  } finally {
    data.wipe()
  }
}

function writeDone(writer: FrameWriter, answer: Buffer): void {
  writer.u8(STATUS.done)
  writer.bytes(answer)
}

function writeSecret(writer: FrameWriter, secret: Buffer): void {
  try {
    writeDone(writer, secret)
  } finally {
    secret.fill(0)
  }
}

/** A key of another kind: CKA_ID and spec. */
function namedKey(frame: FrameCursor): NamedKey {
  const entry = frame.latin1(ID_BYTES)
  return { entry, spec: nameIn(frame, SPECS) }
}

/** One of the names that there are. */
function nameIn<Name extends string>(frame: FrameCursor, names: readonly Name[]): Name {
  const text = frame.latin1(frame.u8())
  const found = names.find((name) => name === text)
  if (found === undefined) throw new MalformedFrameError(`the name ${text}`)
  return found
}
