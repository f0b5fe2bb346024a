/** Reads the body of a request: whole, bounded, and in one Buffer that can be zeroed. */

import type { IncomingMessage } from 'node:http'
import { KmsError } from '../../model/failures.ts'

const BODY_BYTES_MAX = 64 * 1024

/**
 * Reads the body.
 *
 * @returns bytes that are the caller's own, to be zeroed after use.
 * @throws KmsError RequestEntityTooLargeException, or RequestAbortedException when the client went
 *   away before it was there.
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  let length = 0
  const giveUp = (error: KmsError): void => {
    for (const chunk of chunks) chunk.fill(0)
    chunks.length = 0
    reject(error)
  }
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) {
    giveUp(tooLarge())
    return promise
  }
  request.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length <= BODY_BYTES_MAX) {
      chunks.push(chunk)
      return
    }
    chunk.fill(0)
    giveUp(tooLarge())
  })
  request.on('end', () => resolve(joined(chunks, length)))
  request.on('close', () => {
    if (!request.complete) giveUp(new KmsError('RequestAbortedException', 'The client went away.'))
  })
  // `close` follows.
  request.on('error', () => {})
  return promise
}

function joined(chunks: readonly Buffer[], length: number): Buffer {
  const [only] = chunks
  if (only !== undefined && chunks.length === 1) return only
  const whole = Buffer.alloc(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
    chunk.fill(0)
  }
  return whole
}

function tooLarge(): KmsError {
  return new KmsError(
    'RequestEntityTooLargeException',
    `The body of the request is longer than ${BODY_BYTES_MAX} bytes.`,
  )
}
