/** What every door does with its listener: begins to listen, says where, waits for its end. */

import type { AddressInfo, ListenOptions, Server, Socket } from 'node:net'

/** How long work that has been cut off may take to notice, and to put that on the audit record. */
export const LAST_WORD_MS = 2_000
/** How long a TLS handshake may take. */
export const HANDSHAKE_TIMEOUT_MS = 10_000

/**
 * Resolves when the server listens.
 *
 * @throws Error when the address cannot be listened on.
 */
export function listen(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Where a server listens: `host:port`, or `unix:` and the path. */
export function addressOf(server: Server): string {
  const address = server.address() as AddressInfo | string
  if (typeof address === 'string') return `unix:${address}`
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `${host}:${address.port}`
}

/**
 * Puts something before what a server does with a connection that has just come in: whether it is
 * taken, and by whom. Nothing has been read of it yet.
 *
 * @param look hands the connection to the server by `proceed`, or does with it what it likes.
 */
export function intercept(
  server: Server,
  look: (socket: Socket, proceed: () => void) => void,
): void {
  const listeners = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) =>
    look(socket, () => {
      for (const listener of listeners) listener.call(server, socket)
    }),
  )
}

/** Waits for work, but not longer than so many milliseconds. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
