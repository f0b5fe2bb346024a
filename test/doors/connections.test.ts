/** How many connections a door takes, in all and from one address. */

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { clientOf, limitConnections } from '../../src/doors/connection-limits.ts'
import { addressOf, listen } from '../../src/doors/listener.ts'
import { tryAwsDoor } from './aws/door.ts'
import { eventually, tryDoor } from './door.ts'

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:1:2::', '2001:db8:1:2::/64'],
  ['1::8', '1:0:0:0::/64'],
  [undefined, undefined],
])('%s counts as %s', (address, client) => expect(clientOf(address)).toBe(client))

/** Sockets that stay open, from an address of this machine. */
async function open(address: string, count: number, localAddress = '127.0.0.1') {
  const [host = '', port] = address.split(':')
  const sockets = Array.from({ length: count }, () =>
    connect({ host, port: Number(port), localAddress }).on('error', () => {}),
  )
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets
}

const isOpen = (socket: Socket) => !socket.destroyed && !socket.readableEnded
const destroy = (sockets: readonly Socket[]) => {
  for (const socket of sockets) socket.destroy()
}

test('a listener closes what one address has too many of, and takes others', async () => {
  const told: unknown[] = []
  const taken: Socket[] = []
  const server = createServer((socket) => taken.push(socket))
  limitConnections(server, { maxConnectionsPerAddress: 3 }, (_level, _message, fields) =>
    told.push(fields),
  )
  await listen(server, { host: '127.0.0.1', port: 0 })
  const sockets = await open(addressOf(server), 5)
  for (const socket of sockets) socket.resume()
  await eventually(() => sockets.filter(isOpen).length).toBe(3)
  expect(told).toEqual([{ address: '127.0.0.1' }])
  const others = await open(addressOf(server), 2, '127.0.0.2')
  await eventually(() => taken.length).toBe(5)
  // Whose connections have closed may open others.
  destroy(sockets)
  await eventually(() => taken.filter((socket) => !socket.destroyed).length).toBe(2)
  const more = await open(addressOf(server), 3)
  await eventually(() => taken.length).toBe(8)
  destroy([...others, ...more])
  server.close()
})

test('the AWS door: from one address', async () => {
  await using tried = await tryAwsDoor(async () => ({}), { maxConnectionsPerAddress: 2 })
  const sockets = await open(tried.host, 2)
  await expect(tried.call('ListKeys', {})).rejects.toThrow()
  destroy(sockets)
  const status = () => tried.call('ListKeys', {}).then((answered) => answered.status, String)
  await eventually(status).toBe(200)
})

test('the AWS door: in all', async () => {
  await using tried = await tryAwsDoor(async () => ({}), { maxConnections: 2 })
  const addresses = ['127.0.0.2', '127.0.0.3', '127.0.0.4']
  const sockets = await Promise.all(addresses.map((address) => open(tried.host, 1, address)))
  for (const socket of sockets.flat()) socket.resume()
  await eventually(() => sockets.flat().filter(isOpen).length).toBe(2)
  destroy(sockets.flat())
})

test('the gRPC door: before any handshake', async () => {
  await using tried = await tryDoor(async () => ({ keys: [], truncated: false }), {
    maxConnectionsPerAddress: 2,
  })
  const sockets = await open(tried.door.address, 2)
  await expect(tried.client().call('ListKeys', {})).rejects.toThrow()
  destroy(sockets)
  const outcome = () =>
    tried
      .client()
      .call('ListKeys', {})
      .then(() => 'ok', String)
  await eventually(outcome).toBe('ok')
})

test('the gRPC door: a handshake that is not finished in time', async () => {
  await using tried = await tryDoor(async () => ({}), { handshakeTimeoutMs: 200 })
  const sockets = await open(tried.door.address, 3)
  sockets[1]?.write(Buffer.from([22, 3, 1]))
  sockets[2]?.write(Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]))
  for (const socket of sockets) socket.resume()
  await eventually(() => sockets.filter(isOpen)).toEqual([])
})
