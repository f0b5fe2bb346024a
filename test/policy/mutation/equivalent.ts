/** The mutants that change nothing that anybody could see, each with the reason. */

/** A mutant, as the mutation test names it. */
interface Equivalent {
  readonly file: string
  readonly text: string
  readonly was: string
  readonly put: string
  readonly why: string
}

/** Those that the mutation test does not count. */
export const EQUIVALENT: readonly Equivalent[] = []
