/** The grants, as the other rooms see them. */

import type { Grant } from '../../model/grant.ts'
import type { PageRequest } from '../page.ts'
import type { StoredGrant } from './rows.ts'

/** Which grants of a key a list holds. */
export interface GrantFilter {
  readonly keyId: string
  readonly grantId?: string
  readonly granteeArn?: string
}

/** For whom, and on what, grants are looked for that may decide a call. */
export interface GrantQuestion {
  readonly keyId: string
  /** Every ARN by which the caller may be named in a grant. */
  readonly granteeArns: readonly string[]
  /**
   * The encryption context of the call: grants whose constraint it cannot satisfy are left out.
   * `undefined`: constraints do not matter.
   */
  readonly context: ReadonlyMap<string, string> | undefined
}

/** The grants. */
export interface GrantStore {
  /** A grant by its id, with the key of its tokens; from the database itself. */
  find(grantId: string): Promise<StoredGrant | undefined>
  /**
   * The grants that may decide a call; of several that are alike, one. Few, and from memory once
   * asked for.
   */
  deciding(question: GrantQuestion): Promise<readonly Grant[]>
  /** Grants of a key by grant id. */
  list(filter: GrantFilter, page: PageRequest): Promise<readonly Grant[]>
  /** Grants on keys of a Region that a principal may retire, by grant id. */
  listRetirable(
    retiring: { readonly arn: string; readonly principalId?: string; readonly region: string },
    page: PageRequest,
  ): Promise<readonly Grant[]>
  /**
   * Adds a grant, or finds the one that an equal request of the same name has made.
   *
   * @param most how many grants the key may have.
   * @returns the grant that is there now; `full` if the key has `most`.
   * @throws KmsError NotFoundException if the key is not there, or is being destroyed.
   */
  insert(grant: StoredGrant, most: number): Promise<StoredGrant | 'full'>
  /** @returns false if the key has no such grant. */
  remove(keyId: string, grantId: string): Promise<boolean>
}
