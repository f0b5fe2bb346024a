/**
 * A worker thread of the HSM process: reads calls from a pipe of its own, asks the token
 * synchronously, and writes the answers in the order of the calls.
 */

import { parentPort } from 'node:worker_threads'
import pkcs11js from 'pkcs11js'
import { nonceBytes, packHead } from '../../model/ciphertext.ts'
import type { CipherSuite } from '../../model/key.ts'
import { BlockingFramePipe } from '../pipe.ts'
import { PROFILES } from '../profiles/choose.ts'
import type { Sealed } from '../token/session.ts'
import { ID_BYTES } from '../token/templates.ts'
import {
  DATA_FRAME_BYTES_MAX,
  type FrameCursor,
  MalformedFrameError,
  STATUS,
  VERB,
} from '../wire.ts'
import { type CalledKey, DataVerbs } from './data-verbs.ts'
import {
  DeviceFaultError,
  GuardedSession,
  StatusError,
  type WorkerToken,
} from './guarded-session.ts'
import { performWithKeys } from './key-frames.ts'
import { KeyVerbs } from './key-verbs.ts'

/** What the object thread hands to a worker. */
export interface WorkerStart extends Omit<WorkerToken, 'pkcs11' | 'profile' | 'slotId' | 'nowMs'> {
  readonly fd: number
  readonly modulePath: string
  readonly profile: keyof typeof PROFILES
  readonly slotId: Uint8Array
}

/** What a worker tells the object thread. */
export type WorkerEvent =
  | { readonly kind: 'started' }
  /** The device is of no more use: the process has to end. */
  | { readonly kind: 'fault'; readonly reason: string }
  /** A call failed in a way that is nobody's but ours. */
  | { readonly kind: 'bug'; readonly reason: string }
  /** The door has closed the pipe: the thread ends when its last answers have left. */
  | { readonly kind: 'ended' }

/** Answers are not held back longer than this while a slow token works through a batch. */
const HOLD_BACK_MS = 1
const CALLED_KEYS_MAX = 20_000

// The thread starts, and loads its code, while the object thread is still opening the token.
parentPort?.once('message', serve)

function serve(start: WorkerStart): void {
  const { fd, modulePath, profile, slotId, ...rest } = start
  // The library is in the process already, and initialised.
  const pkcs11 = new pkcs11js.PKCS11()
  pkcs11.load(modulePath)
  const guard = new GuardedSession({
    ...rest,
    pkcs11,
    slotId: Buffer.from(slotId),
    profile: PROFILES[profile],
  })
  const verbs: Verbs = { data: new DataVerbs(guard), keys: new KeyVerbs(guard), called: new Map() }
  const pipe = new BlockingFramePipe(fd)
  let flushedMs = 0
  tell({ kind: 'started' })
  try {
    pipe.serve({
      frameBytesMax: DATA_FRAME_BYTES_MAX,
      onFrame: (frame) => {
        answer(frame, pipe, verbs)
        const nowMs = performance.now()
        if (nowMs - flushedMs < HOLD_BACK_MS) return
        pipe.flush()
        flushedMs = nowMs
      },
      onBatch: () => pipe.flush(),
    })
    tell({ kind: 'ended' })
  } catch (cause) {
    tell({ kind: 'fault', reason: stack(cause) })
  } finally {
    guard.close()
  }
}

/** What a worker can do, and the keys that it has been asked for. */
interface Verbs {
  readonly data: DataVerbs
  readonly keys: KeyVerbs
  readonly called: Map<string, CalledKey>
}

function answer(frame: FrameCursor, pipe: BlockingFramePipe, verbs: Verbs): void {
  const { writer } = pipe
  writer.begin()
  writer.u32(frame.u32())
  try {
    perform(frame, pipe, verbs)
  } catch (cause) {
    if (cause instanceof MalformedFrameError) throw cause
    // Whatever the call has written of its answer is taken back, sequence number included.
    const sequence = writer.abandon()
    writer.begin()
    writer.u32(sequence)
    const status = cause instanceof StatusError ? cause.status : STATUS.deviceFault
    writer.u8(status)
    const reason = cause instanceof Error ? cause.message : String(cause)
    writer.bytes(Buffer.from(reason))
    if (cause instanceof DeviceFaultError) tell({ kind: 'fault', reason })
    else if (!(cause instanceof StatusError)) tell({ kind: 'bug', reason: stack(cause) })
  }
  writer.end()
}

function perform(frame: FrameCursor, pipe: BlockingFramePipe, verbs: Verbs): void {
  const { writer } = pipe
  const { data, called } = verbs
  const verb = frame.u8()
  const deadlineMs = frame.f64()
  if (Date.now() > deadlineMs) throw new StatusError(STATUS.tooLate, 'too late')
  switch (verb) {
    case VERB.encrypt: {
      const key = calledKey(frame, called)
      const blob = data.encrypt(key, frame.block(), frame.bytes())
      writer.u8(STATUS.done)
      writer.bytes(blob)
      return
    }
    case VERB.decrypt: {
      const { key, context, nonce, sealed } = source(frame, called)
      try {
        const plaintext = data.decrypt(key, context, nonce, sealed)
        writer.u8(STATUS.done)
        writer.bytes(plaintext)
      } finally {
        data.wipe()
      }
      return
    }
    case VERB.reEncrypt: {
      const from = source(frame, called)
      const to = { key: calledKey(frame, called), context: frame.block() }
      const blob = data.reEncrypt(from, to)
      writer.u8(STATUS.done)
      writer.bytes(blob)
      return
    }
    case VERB.generateDataKey:
    case VERB.generateDataKeyWithoutPlaintext: {
      const key = calledKey(frame, called)
      const context = frame.block()
      data.generateDataKey(key, context, dataKeyBytes(frame), (plaintext, blob) => {
        writer.u8(STATUS.done)
        if (verb === VERB.generateDataKey) writer.bytes(plaintext)
        writer.bytes(blob)
      })
      return
    }
    case VERB.generateRandom: {
      const random = Buffer.alloc(dataKeyBytes(frame))
      try {
        data.generateRandom(random)
        writer.u8(STATUS.done)
        writer.bytes(random)
      } finally {
        random.fill(0)
      }
      return
    }
    default:
      performWithKeys(verb, frame, writer, {
        ...verbs,
        calledKey: () => calledKey(frame, called),
        source: () => source(frame, called),
      })
  }
}

/** A backing key: suite, key id, CKA_ID, account. Doors send the same few again and again. */
function calledKey(frame: FrameCursor, keys: Map<string, CalledKey>): CalledKey {
  const name = frame.latin1(frame.u8())
  const known = keys.get(name)
  if (known !== undefined) return known
  const suite = name.charCodeAt(0)
  if (suite !== 1 && suite !== 2) throw new MalformedFrameError(`the suite ${suite}`)
  const backingKeyAt = 1 + ID_BYTES
  const accountAt = backingKeyAt + ID_BYTES
  if (name.length <= accountAt) throw new MalformedFrameError('a backing key that is too short')
  const entry = name.slice(backingKeyAt, accountAt)
  const head = packHead({
    suite: suite satisfies CipherSuite,
    keyId: Buffer.from(name.slice(1, backingKeyAt), 'latin1').toString('hex'),
    backingKeyId: Buffer.from(entry, 'latin1').toString('hex'),
  })
  const key: CalledKey = { suite, head, entry, account: name.slice(accountAt) }
  if (keys.size >= CALLED_KEYS_MAX) keys.clear()
  keys.set(name, key)
  return key
}

function source(frame: FrameCursor, keys: Map<string, CalledKey>) {
  const key = calledKey(frame, keys)
  const context = frame.block()
  const nonce = frame.bytes(nonceBytes(key.suite))
  const iv = frame.bytes(frame.u8())
  const sealed: Sealed = { iv, sealed: frame.block() }
  return { key, context, nonce, sealed }
}

function dataKeyBytes(frame: FrameCursor): number {
  const numberOfBytes = frame.u32()
  if (numberOfBytes < 1 || numberOfBytes > 1024) {
    throw new MalformedFrameError(`${numberOfBytes} random bytes`)
  }
  return numberOfBytes
}

function stack(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
}

function tell(event: WorkerEvent): void {
  parentPort?.postMessage(event)
}
