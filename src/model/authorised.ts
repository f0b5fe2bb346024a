/**
 * The proof that the pipeline has authorised the caller for a resource.
 *
 * Only `pipeline/` makes one (a tidy test refuses the cast elsewhere), and the HSM takes nothing
 * else, so that skipping authorisation does not compile.
 */

declare const proof: unique symbol

/** A resource that the caller of this request has been authorised to use. */
export type Authorised<T> = T & { readonly [proof]: true }
