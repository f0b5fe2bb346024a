/** What is timed, two ways of the same. */

/** A call that has been prepared, so that only itself is measured. */
export type Prepared = () => unknown

/** Two classes of calls, which both fail. */
export interface TimingCase {
  readonly name: string
  /** Prepares a call of the first class or of the second, in the same way. */
  readonly prepare: (second: boolean) => Prepared
}
