/** The record of a change under way, by which it is finished or given up after a crash. */

import type { BackingKey } from '../model/key.ts'

/** A change that spans token and store, written before the token is touched. */
export type Intent = {
  readonly intentId: string
  readonly keyId: string
  /** Milliseconds since the epoch. */
  readonly createdMs: number
} & (
  | { readonly kind: 'create'; readonly backingKey: BackingKey }
  | { readonly kind: 'rotate'; readonly backingKey: BackingKey }
  | { readonly kind: 'remove'; readonly backingKey: BackingKey }
  | { readonly kind: 'import'; readonly backingKey: BackingKey; readonly wrappingKeyId: string }
  | { readonly kind: 'destroy' }
)
