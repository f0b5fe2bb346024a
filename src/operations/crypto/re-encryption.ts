/** The two sides of a re-encryption: what it decrypts by, and what it encrypts by. */

import type { Key } from '../../model/key.ts'
import type { Conditions, Operations } from '../operation.ts'
import { type Asked, encryptionConditions, prepare } from './algorithms.ts'

type Request = Operations['ReEncrypt']['request']

/** Each key's own side: who may decrypt under one context may not under another. */
export function reEncryptionConditions(request: Request, need: string): Conditions {
  return encryptionConditions(need === 'source' ? sourceOf(request) : destinationOf(request))
}

/**
 * The algorithms and the canonical contexts.
 *
 * @throws what `prepare` throws.
 */
export function prepareBoth(request: Request, source: Key, destination: Key) {
  return {
    from: prepare(source, sourceOf(request)),
    to: prepare(destination, destinationOf(request)),
  }
}

function sourceOf(request: Request): Asked {
  return {
    encryptionAlgorithm: request.sourceEncryptionAlgorithm,
    encryptionContext: request.sourceEncryptionContext,
  }
}

function destinationOf(request: Request): Asked {
  return {
    encryptionAlgorithm: request.destinationEncryptionAlgorithm,
    encryptionContext: request.destinationEncryptionContext,
  }
}
