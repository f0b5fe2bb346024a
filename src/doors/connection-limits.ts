/**
 * Bounds how many connections a listener has, in all and for each address that they come from, and
 * closes the others at once, before a byte of them is read.
 */

import { isIPv6, type Server, type Socket } from 'node:net'
import { intercept } from './listener.ts'

/** The limits. */
export interface ConnectionLimits {
  /** Connections in all; 1024 unless given. */
  readonly maxConnections?: number
  /** Connections of one address, of IPv6 of one network of 64 bits; 256 unless given. */
  readonly maxConnectionsPerAddress?: number
}

type Log = (level: 'warn', message: string, fields?: object) => void

interface Client {
  connections: number
  /** Whether the log has been told of it, once for each time that it has too many. */
  isTold: boolean
}

/** Keeps a listener to its limits. A socket in the file system has no addresses to count. */
export function limitConnections(
  server: Server,
  { maxConnections = 1024, maxConnectionsPerAddress = 256 }: ConnectionLimits,
  log: Log,
): void {
  const clients = new Map<string, Client>()

  function refuse(name: string, client: Client, socket: Socket): void {
    if (!client.isTold) log('warn', 'too many connections of one address', { address: name })
    client.isTold = true
    socket.destroy()
  }

  server.maxConnections = maxConnections
  intercept(server, (socket, proceed) => {
    const name = clientOf(socket.remoteAddress)
    if (name === undefined) {
      proceed()
      return
    }
    const client = clients.get(name) ?? { connections: 0, isTold: false }
    if (client.connections >= maxConnectionsPerAddress) {
      refuse(name, client, socket)
      return
    }
    client.connections += 1
    clients.set(name, client)
    socket.once('close', () => {
      client.connections -= 1
      client.isTold = false
      if (client.connections === 0) clients.delete(name)
    })
    proceed()
  })
}

const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
const NETWORK_GROUPS = 4

/**
 * Who counts as one client: an address of IPv4, or a network of IPv6, of which one client has all.
 *
 * @returns `undefined` for a socket in the file system, and for one that has closed already.
 */
export function clientOf(address: string | undefined): string | undefined {
  if (address === undefined || !address.includes(':')) return address
  const [, ipv4] = IPV4_IN_IPV6.exec(address) ?? []
  if (ipv4 !== undefined || !isIPv6(address)) return ipv4 ?? address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  if (tail === undefined) return network(groups)
  const last = tail.split(':').filter((group) => group !== '')
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - last.length) }, () => '0')
  return network([...groups, ...zeros, ...last])
}

function network(groups: readonly string[]): string {
  const first = groups.slice(0, NETWORK_GROUPS).map((group) => Number.parseInt(group, 16))
  return `${first.map((group) => group.toString(16)).join(':')}::/64`
}
