/**
 * The server that the AWS door is measured against: node:http that reads the body, parses it and
 * answers JSON of the same size, and nothing behind it. Says `AWS` and where it is.
 */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { KeyId, Plaintext, CiphertextBlob } = JSON.parse(Buffer.concat(chunks).toString())
    const body = JSON.stringify({ KeyId, Plaintext, CiphertextBlob, EncryptionAlgorithm: 'NONE' })
    response.writeHead(200, {
      'content-type': 'application/x-amz-json-1.1',
      'content-length': Buffer.byteLength(body),
    })
    response.end(body)
  })
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`AWS http://127.0.0.1:${port}\n`)
})
