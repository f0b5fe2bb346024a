/** Loading servers until V8 has compiled their code, which would be measured as work of theirs. */

/** After so many requests the code of a server is compiled for good. */
const FIRST_REQUESTS = 40_000
/** After so many more, that of one more call. */
const LATER_REQUESTS = 10_000
/** A slow machine is not waited for without end. */
const ROUNDS_MAX = 20

/** Warms a server by rounds of a second. */
export type Warm = (
  server: object,
  load: () => Promise<{ readonly requestsPerSecond: number }>,
) => Promise<void>

/** Makes what warms servers, and knows which of them it has warmed. */
export function createWarm(): Warm {
  const warmed = new WeakSet()
  return async (server, load) => {
    const wanted = warmed.has(server) ? LATER_REQUESTS : FIRST_REQUESTS
    let requests = 0
    for (let round = 0; round < ROUNDS_MAX && requests < wanted; round++) {
      requests += (await load()).requestsPerSecond
    }
    warmed.add(server)
  }
}
