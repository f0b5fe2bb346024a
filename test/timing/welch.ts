/**
 * Whether two classes of measurements take the same time: Welch's t, as dudect uses it.
 * https://eprint.iacr.org/2016/1123
 */

/** Two classes that differ by more than this differ for certain. */
export const T_MAX = 4.5

/** The cuts: a difference may show only where the noise above it is left out. */
const PERCENTILES = [1, 0.99, 0.95, 0.9, 0.75, 0.5]

/** The two classes. */
export interface Samples {
  readonly first: Float64Array
  readonly second: Float64Array
}

/** Welch's t of the classes at the cut where they differ most. */
export function mostT({ first, second }: Samples): number {
  const pooled = Float64Array.from([...first, ...second]).toSorted()
  const ts = PERCENTILES.map((percentile) => {
    const cut = pooled[Math.ceil(percentile * pooled.length) - 1] ?? Number.POSITIVE_INFINITY
    return welch(momentsOf(first, cut), momentsOf(second, cut))
  })
  return ts.reduce((most, t) => (Math.abs(t) > Math.abs(most) ? t : most), 0)
}

interface Moments {
  readonly count: number
  readonly mean: number
  readonly variance: number
}

/** By Welford's method: a sum of squares would lose what is looked for. */
function momentsOf(samples: Float64Array, cut: number): Moments {
  let [count, mean, squares] = [0, 0, 0]
  for (const sample of samples) {
    if (sample > cut) continue
    count += 1
    const from = sample - mean
    mean += from / count
    squares += from * (sample - mean)
  }
  return { count, mean, variance: count > 1 ? squares / (count - 1) : 0 }
}

function welch(one: Moments, other: Moments): number {
  const error = Math.sqrt(one.variance / one.count + other.variance / other.count)
  return error > 0 ? (one.mean - other.mean) / error : 0
}
